import { afterEach, expect, test } from '@jest/globals';
import { PARKED } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import { gateOf } from './open-gate.js';
import { type OpenDoor, type OpenDoorOptions, openAmqpDoor } from './open-amqp-door.js';

let open: OpenDoor;
afterEach(() => open.close());
const openWith = async (options: OpenDoorOptions) => {
  open = await openAmqpDoor(options);
};
const allSettled = () => eventually('all is settled', () => open.door.state().inWork === 0);

test('a full parked queue keeps the oldest; what it does not take is answered, counted and told', async () => {
  let notParked = 0;
  await openWith({
    collectParked: false,
    observe: { notParked: () => notParked++ },
    beforeStart: async ({ plain }) => {
      const channel = await plain.createConfirmChannel();
      for (let n = 0; n < PARKED.arguments['x-max-length'] + 1; n++)
        channel.sendToQueue(PARKED.name, Buffer.from(`${n}`), { messageId: `old ${n}` });
      await channel.waitForConfirms();
    },
  });
  const answers = await Promise.all(Array.from({ length: 30 }, () => open.ask({ body: Buffer.from('no JSON') })));
  for (const { body } of answers) expect(body).toMatchObject({ error: { code: 'MALFORMED_MESSAGE' } });
  await allSettled();
  expect(notParked).toBeGreaterThan(0);
  expect(open.door.problems()).toEqual([expect.stringMatching(/account-manager\.parked is full/)]);
  expect(open.broker.lines.some(({ message }) => message === 'message not kept: the parked queue is full')).toBe(true);

  const channel = await open.broker.plain.createChannel();
  const { messageCount } = await channel.checkQueue(PARKED.name);
  expect(messageCount).toBe(PARKED.arguments['x-max-length'] + 1 + 30 - notParked);
  expect((await channel.get(PARKED.name, { noAck: true })) || null).toMatchObject({
    properties: { messageId: 'old 0' },
  });

  await channel.purgeQueue(PARKED.name);
  await eventually('it parks again', async () => {
    await open.ask({ body: Buffer.from('no JSON') });
    return (await channel.checkQueue(PARKED.name)).messageCount > 0;
  });
  await allSettled();
  expect(open.door.problems()).toEqual([]);
});

test('a probe that is not this service’s own goes through the gate and is charged like any message', async () => {
  await openWith({ gate: gateOf([{ name: 'somebody-else', users: '*' }]) });
  const { body } = await open.ask({ body: Buffer.alloc(0), properties: { type: 'account-manager.probe' } });
  expect(body).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
});

test('with an access file nobody has a reply written into another’s queue, not even a refusal', async () => {
  await openWith({
    gate: gateOf([
      { name: 'guest', users: '*' },
      { name: 'victim', users: '*' },
    ]),
  });
  const channel = await open.broker.plain.createChannel();
  for (const queue of ['reply.victim', 'reply.guest', 'reply.guest.1']) await channel.assertQueue(queue);
  const send = (replyTo: string, body: object | Buffer = {}) =>
    open.send({ body, properties: { replyTo, userId: open.broker.connections.user } });
  await send('reply.victim');
  await send('reply.victim', Buffer.from('no JSON'));
  await send('reply.guest');
  await send('reply.guest.1');
  await open.waitForParked(2);
  await allSettled();
  const counts = await Promise.all(
    ['reply.victim', 'reply.guest', 'reply.guest.1'].map(
      async (queue) => (await channel.checkQueue(queue)).messageCount,
    ),
  );
  expect(counts).toEqual([0, 1, 1]);
  expect(open.dispatched).toHaveLength(2);
});

test.each<[string, object]>([
  [
    'Kombu',
    { contentType: 'application/json', contentEncoding: 'utf-8', priority: 0, headers: { lang: 'py', argsrepr: null } },
  ],
  ['Kombu, text encoded by the program', { contentType: 'application/json', contentEncoding: 'binary' }],
  [
    'Spring AMQP',
    { contentType: 'application/json', contentEncoding: 'UTF-8', headers: { __TypeId__: 'java.util.HashMap' } },
  ],
  ['an empty parameter', { contentType: 'application/json;' }],
  ['hexadecimal message id', { messageId: '0f8fad5bd9cb469fa16570867728950e' }],
  ['a timestamp as deadline', { headers: { 'x-deadline': { '!': 'timestamp', value: 4_000_000_000 } } }],
  ['null headers', { headers: { 'x-deadline': null, traceparent: null, tracestate: null } }],
  ['other properties', { appId: 'x', type: 'x', timestamp: 1, priority: 9, persistent: false, contentType: undefined }],
])('serves what %s sends', async (_, properties) => {
  await openWith({});
  expect((await open.ask({ properties })).body.success).toBe(true);
});

test('an operation without required fields needs no body', async () => {
  await openWith({});
  const ask = (operation: string) => open.ask({ operation, body: Buffer.alloc(0) });
  expect((await ask('query.status')).body.success).toBe(true);
  expect(open.dispatched[0]?.body).toEqual({});
  expect((await ask('query.limits')).body).toMatchObject({ error: { code: 'MALFORMED_MESSAGE' } });
});
