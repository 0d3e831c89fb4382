import { afterEach, expect, test } from '@jest/globals';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import { parseAccess } from '../../src/decide/access/access-policy.js';
import { createGate as createRealGate } from '../../src/doors/gate.js';
import type { Dispatch, Reply } from '../../src/requests/request.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { eventually } from '../support/eventually.js';
import { type OpenDoor, openAmqpDoor } from './open-amqp-door.js';

let open: OpenDoor;
afterEach(() => open.close());

const QUEUE = REQUEST_QUEUES.action.name;

/** Requests that wait until they are let go. */
function createGate() {
  let waiting: (() => void)[] = [];
  let isOpen = false;
  const dispatch: Dispatch = () =>
    new Promise<Reply>((resolve) => {
      const answer = () => resolve({ success: true });
      if (isOpen) answer();
      else waiting.push(answer);
    });
  return {
    dispatch,
    waiting: () => waiting.length,
    open: () => {
      isOpen = true;
      for (const answer of waiting) answer();
      waiting = [];
    },
  };
}

const isConsuming = (queue: string) => open.door.state().consumers[queue] === true;
const look = async () => {
  const channel = await open.broker.plain.createChannel();
  return channel.checkQueue(QUEUE);
};

test('every queue has its consumer, with its prefetch', async () => {
  open = await openAmqpDoor();
  expect(Object.values(open.door.state().consumers)).toEqual(Array.from({ length: 7 }, () => true));
  expect((await look()).consumerCount).toBe(1);
});

test('no more is in work than the prefetch allows', async () => {
  const gate = createGate();
  open = await openAmqpDoor({ dispatch: gate.dispatch });
  const { prefetch } = REQUEST_QUEUES.query;
  await Promise.all(Array.from({ length: prefetch + 20 }, () => open.send({ operation: 'query.limits' })));
  await eventually('the prefetch is used', () => gate.waiting() === prefetch);
  const channel = await open.broker.plain.createChannel();
  expect((await channel.checkQueue(REQUEST_QUEUES.query.name)).messageCount).toBe(20);
  expect(open.door.state().inWork).toBe(prefetch);
  gate.open();
  await eventually('all are served', () => open.dispatched.length === prefetch + 20);
});

test('a deleted queue comes back, bindings and all, and is consumed again; the others never stop', async () => {
  open = await openAmqpDoor();
  const changes: boolean[] = [];
  const channel = await open.broker.plain.createChannel();
  await channel.deleteQueue(QUEUE);
  await eventually('it is seen', () => !isConsuming(QUEUE));
  changes.push(isConsuming(REQUEST_QUEUES.query.name));
  expect((await open.ask({ operation: 'query.limits' })).body.success).toBe(true);
  await eventually('it consumes again', () => isConsuming(QUEUE));
  expect((await open.ask({ operation: 'action.check' })).body.success).toBe(true);
  expect(changes).toEqual([true]);
});

test('a queue that came back otherwise is not consumed, and says why', async () => {
  open = await openAmqpDoor();
  const channel = await open.broker.plain.createChannel();
  await channel.deleteQueue(QUEUE);
  // Sooner, the broker would move the consumer over to the new queue without a word.
  await eventually('it is seen', () => !isConsuming(QUEUE));
  await channel.assertQueue(QUEUE, { arguments: { 'x-queue-type': 'quorum' } });
  await eventually('it is told', () =>
    open.broker.lines.some(
      ({ fields }) => fields.error instanceof Error && fields.error.message.includes('inequivalent arg'),
    ),
  );
  expect(isConsuming(QUEUE)).toBe(false);
  await channel.deleteQueue(QUEUE);
  await eventually('it consumes again', () => isConsuming(QUEUE));
});

test('a consuming connection closed under load: what was in work is delivered again, and nothing else is acknowledged', async () => {
  const gate = createGate();
  open = await openAmqpDoor({ dispatch: gate.dispatch });
  const answers = Array.from({ length: 40 }, () => open.ask({}));
  await eventually('all are in work', () => gate.waiting() === 40);
  await open.broker.closeConnections('consumer');
  await eventually('all are delivered again', () => open.dispatched.length === 80);
  // Late answers to the first deliveries must not be acknowledged on the new channel, whose tags are the same.
  gate.open();
  await Promise.all(answers);
  await eventually('all is settled', () => open.door.state().inWork === 0);
  expect(open.broker.lines.filter(({ message }) => message === 'broker channel lost').length).toBeLessThanOrEqual(7);
  expect(open.dispatched).toHaveLength(80);
  expect(await open.stopAndCount(QUEUE)).toBe(0);
});

test('a publishing connection closed: replies wait for the next one', async () => {
  const gate = createGate();
  open = await openAmqpDoor({ dispatch: gate.dispatch });
  const answers = Array.from({ length: 40 }, () => open.ask({}));
  await eventually('all are in work', () => gate.waiting() === 40);
  await open.broker.closeConnections('publisher');
  await eventually('it is seen', () => !open.broker.connections.state().publishing.connected);
  gate.open();
  await Promise.all(answers);
  await eventually('all is settled', () => open.door.state().inWork === 0);
  expect(open.dispatched).toHaveLength(40);
});

test('a request that was let in and comes back after a break is served, whatever the rate of its caller', async () => {
  const parsed = parseAccess({ services: [{ name: 'guest', users: '*', requests_per_second: 0.001 }] }, null);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const policy = () => parsed.policy;
  const log = createLog({ level: 'error', instance: 'test' });
  const held = createGate();
  open = await openAmqpDoor({
    dispatch: held.dispatch,
    gate: createRealGate({ access: { policy }, metrics: createMetrics(), log }),
  });
  expect(open.broker.connections.user).toBe('guest');
  const properties = { userId: 'guest' };
  const first = open.ask({ properties });
  await eventually('it is in work', () => held.waiting() === 1);
  open.door.consumers().get(QUEUE)?.renew();
  await eventually('it is in work again', () => held.waiting() === 2);
  held.open();
  // It may have had its effect before the break: whoever heard that nothing was done would be told wrong.
  expect((await first).body).toEqual({ success: true });
  expect((await open.ask({ properties })).body).toMatchObject({ error: { code: 'UNAVAILABLE' } });
});

test('a stop finishes what is in work and leaves the rest: nothing is lost or delivered again', async () => {
  const gate = createGate();
  open = await openAmqpDoor({ dispatch: gate.dispatch });
  const answers = Array.from({ length: 100 }, () => open.ask({}));
  await eventually('all are in work', () => gate.waiting() === 100);
  const stopped = open.door.stop({ timeoutMs: 10_000 });
  await eventually('it consumes no more', () =>
    open.broker.lines.some(({ message }) => message === 'no more requests are taken'),
  );
  await open.send({});
  gate.open();
  await Promise.all([...answers, stopped]);

  const channel = await open.broker.plain.createChannel();
  const left = await channel.get(QUEUE, { noAck: true });
  expect(left).toMatchObject({ fields: { redelivered: false, messageCount: 0 } });
  expect(Object.values(open.door.state().consumers)).not.toContain(true);
});

test('a stop does not wait for ever: what is not done goes back to the queue', async () => {
  const gate = createGate();
  open = await openAmqpDoor({ dispatch: gate.dispatch });
  await open.send({});
  await eventually('it is in work', () => gate.waiting() === 1);
  const startedAt = Date.now();
  await open.door.stop({ timeoutMs: 300 });
  expect(Date.now() - startedAt).toBeLessThan(3_000);
  const channel = await open.broker.plain.createChannel();
  const message = await eventually('it is back', () => channel.get(QUEUE, { noAck: true }));
  expect(message).toMatchObject({ fields: { redelivered: true } });
  gate.open();
});

test('observers are told of every message that the door sees', async () => {
  const seen: unknown[][] = [];
  const note =
    (name: string) =>
    (...given: unknown[]) =>
      void seen.push([name, ...given]);
  open = await openAmqpDoor({
    dispatch: ({ operation }) =>
      Promise.resolve({
        success: false,
        error: { code: operation === 'query.limits' ? 'UNKNOWN_OPERATION' : 'ALL_BUSY', message: '', retryable: true },
      }),
    observe: {
      received: note('received'),
      replied: note('replied'),
      parked: note('parked'),
      acknowledged: note('acknowledged'),
    },
  });
  await open.ask({ body: { a: 1 } });
  await open.ask({ operation: 'query.limits' });
  await eventually('both are acknowledged', () => seen.filter(([name]) => name === 'acknowledged').length === 2);
  expect(seen).toEqual(
    expect.arrayContaining([
      ['received', QUEUE, 7],
      ['replied', 'action.check', 'ALL_BUSY'],
      ['parked', 'UNKNOWN_OPERATION'],
      ['acknowledged', 1],
    ]),
  );
});
