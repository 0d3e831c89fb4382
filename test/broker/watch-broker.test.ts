import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Channel } from 'amqplib';
import { DEAD_LETTERS, EXCHANGES, PARKED, REQUEST_QUEUE_ARGUMENTS, REQUEST_QUEUES } from '../../contracts/topology.js';
import { type Consumer, createConsumer } from '../../src/broker/consume.js';
import { createManagement } from '../../src/broker/management.js';
import { TopologyMismatch } from '../../src/broker/topology.js';
import { type BrokerWatch, type BrokerWatchOptions, watchBroker } from '../../src/broker/watch-broker.js';
import { type OpenDoor, openAmqpDoor } from '../doors/open-amqp-door.js';
import { manage } from '../support/vhost.js';
import { eventually } from '../support/eventually.js';

let open: OpenDoor;
let channel: Channel;
let watch: BrokerWatch;
/** The reports, in order. */
let alarms: (readonly string[])[];
let repaired: string[];

const QUEUE = REQUEST_QUEUES.query.name;
/** A consumer that hears nothing between two looks counts as deaf, so on a busy machine they must not follow too closely. */
const EVERY_MS = 600;

beforeEach(async () => {
  open = await openAmqpDoor();
  channel = await open.broker.plain.createChannel();
  alarms = [];
  repaired = [];
});
afterEach(async () => {
  await watch.stop();
  await open.close();
});

const managementOf = (url = open.broker.vhost.managementUrl) =>
  createManagement({ url, rabbitmqUrl: open.broker.vhost.url });

function startWatch(options: Partial<BrokerWatchOptions> = {}): void {
  const { broker, door } = open;
  watch = watchBroker({
    connections: broker.connections,
    management: managementOf(),
    consumers: door.consumers,
    publishers: door.publishers,
    doorProblems: door.problems,
    alarm: (problems) => Promise.resolve(void alarms.push(problems)),
    log: broker.log,
    observe: { repaired: (what) => repaired.push(what) },
    everyMs: EVERY_MS,
    ...options,
  });
  watch.start();
}

const answersAgain = async (): Promise<void> => {
  let answered = false;
  // A message sent while the queue is away reaches nobody.
  await eventually('it answers', async () => {
    void open.ask({ operation: 'query.status' }).then(({ body }) => (answered = body.success));
    await looks(1);
    return answered;
  });
};
const looks = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1.2 * EVERY_MS));

test('where all is well nothing is told and nothing is mended', async () => {
  const stuck = new Map<string, number>();
  const observe = {
    repaired: (what: string) => repaired.push(what),
    stuck: (queue: string, messages: number) => stuck.set(queue, messages),
  };
  startWatch({ observe });
  await watch.verify();
  await looks(4);
  await eventually('no queue has dead letters that are stuck', () => stuck.get(QUEUE) === 0);
  expect({ alarms, repaired, problems: watch.problems() }).toEqual({ alarms: [], repaired: [], problems: [] });
});

test.each([
  ['seen through the management API', true],
  ['unseen', false],
])('a deleted binding is there again, %s', async (_how, seen) => {
  startWatch(seen ? {} : { management: null });
  const path = `/api/bindings/${open.broker.vhost.name}/e/${EXCHANGES.requests.name}/q/${QUEUE}`;
  // In the middle of a look it is mended before it is seen.
  await eventually('it is mended', async () => {
    await channel.unbindQueue(QUEUE, EXCHANGES.requests.name, 'query.*');
    await eventually('it is bound again', async () => ((await manage('GET', path)) as unknown[]).length === 1);
    // It is told a moment later; taken away before that it would not count as mended.
    for (let waited = 0; seen && waited < 5 && !repaired.includes('topology'); waited++) await looks(1);
    return !seen || repaired.includes('topology');
  });
  await answersAgain();
  expect(watch.problems()).toEqual([]);
});

test('a deleted queue is declared and consumed anew', async () => {
  startWatch();
  await channel.deleteQueue(QUEUE);
  await answersAgain();
  expect(open.door.state().consumers[QUEUE]).toBe(true);
  // In the middle of a look it is declared before it is missed.
  await eventually('nobody consumes it, and yet it is back', async () => {
    await channel.deleteQueue(PARKED.name);
    await looks(1);
    return repaired.includes('queue');
  });
  await eventually('all is well', () => watch.problems().length === 0);
});

test('a queue deleted and declared within milliseconds is served, time after time', async () => {
  startWatch();
  for (let round = 0; round < 5; round++) {
    const binding = channel.deleteQueue(QUEUE).then(() => undefined);
    const declared = channel.assertQueue(QUEUE, { arguments: { ...REQUEST_QUEUE_ARGUMENTS } });
    await Promise.all([binding, declared, channel.bindQueue(QUEUE, EXCHANGES.requests.name, 'query.*')]);
    await answersAgain();
  }
});

test('a consumer that the broker does not know subscribes anew', async () => {
  const deaf = 'account-manager.retry.5s';
  let renewed = 0;
  const consumer = {
    sight: () => ({ state: 'registered', delivered: 0, isFull: false }),
    renew: () => {
      renewed += 1;
    },
  } as unknown as Consumer;
  startWatch({ consumers: () => new Map([[deaf, consumer]]) });
  await eventually('it is renewed', () => renewed > 0);
  await eventually('it is told, for it did not help', () => alarms.some((told) => told.join().includes(deaf)));
});

test('two who share a queue and could not be probed for a while are both heard of again, and left alone', async () => {
  const { connections, log } = open.broker;
  let blocked = true;
  const state = () => ({ connected: true, blocked });
  const slowToTell = { ...connections, publishing: { ...connections.publishing, state } };
  const second = createConsumer({
    connection: connections.consuming,
    ownUser: connections.user,
    queue: QUEUE,
    prefetch: 1,
    declare: () => Promise.resolve(),
    onDelivery: (delivery) => delivery.acknowledge(),
    log,
  });
  const first = open.door.consumers().get(QUEUE);
  if (first === undefined) throw new Error('the door does not consume');
  await eventually('both consume', async () => (await channel.checkQueue(QUEUE)).consumerCount === 2);
  const others = [first, second].map((consumer) => {
    const consumers = () => new Map([[QUEUE, consumer]]);
    startWatch({ connections: slowToTell, management: null, consumers });
    return watch;
  });
  await looks(4);
  blocked = false;
  const heard = [first, second].map((consumer) => consumer.sight().delivered);
  await eventually('both hear', () =>
    [first, second].every((consumer, index) => consumer.sight().delivered > (heard[index] ?? 0) + 3),
  );
  expect({ repaired, alarms }).toEqual({ repaired: [], alarms: [] });
  await Promise.all(others.map((each) => each.stop()));
  await second.close();
});

test('a renewed consumer takes messages as before', async () => {
  startWatch();
  open.door.consumers().get(QUEUE)?.renew();
  expect(open.door.state().consumers[QUEUE]).toBe(false);
  await answersAgain();
});

test('a policy that overrides the contract stops the start, is told while it lasts, and no longer', async () => {
  startWatch();
  const path = `/api/policies/${open.broker.vhost.name}/short`;
  await manage('PUT', path, {
    pattern: '^account-manager\\.query',
    definition: { 'message-ttl': 1_000 },
    'apply-to': 'all',
  });
  const difference = `queue ${QUEUE}: policy short sets message-ttl to 1000, not unset`;
  const mismatch = await watch.verify().catch((error: unknown) => error);
  expect(mismatch).toBeInstanceOf(TopologyMismatch);
  expect((mismatch as TopologyMismatch).differences).toEqual([difference]);
  await eventually('it is told', () => watch.problems().includes(difference));
  expect(alarms.at(-1)).toEqual([difference]);
  await manage('DELETE', path);
  await eventually('it is over', () => watch.problems().length === 0 && alarms.at(-1)?.length === 0);
});

test('a binding too many, and a queue that came back otherwise, are told', async () => {
  startWatch();
  await channel.bindQueue(QUEUE, 'amq.topic', 'stray.#');
  await channel.deleteQueue('account-manager.parked');
  await channel.assertQueue('account-manager.parked', { arguments: { 'x-queue-type': 'quorum', 'x-max-length': 5 } });
  await eventually('both are told', () => {
    const told = watch.problems().join('\n');
    return /inequivalent arg 'x-max-length' for queue 'account-manager.parked'/.test(told);
  });
  await channel.deleteQueue('account-manager.parked');
  await eventually(
    'the binding is told',
    () => watch.problems().join() === `binding amq.topic → ${QUEUE} (stray.#) is not of the contract`,
  );
});

test('dead letters that do not get away are told for as long as they are there', async () => {
  await open.door.stop({ timeoutMs: 5_000 });
  await manage('PUT', `/api/policies/${open.broker.vhost.name}/full`, {
    pattern: `^${DEAD_LETTERS.name}$`,
    definition: { 'max-length': 1 },
    'apply-to': 'queues',
  });
  for (let n = 0; n < 3; n++) channel.sendToQueue(DEAD_LETTERS.name, Buffer.alloc(0));
  startWatch({ consumers: () => new Map() });
  await looks(2);
  channel.publish(EXCHANGES.requests.name, 'query.status', Buffer.from('{}'), { expiration: 1 });
  const problem = `what dies in ${QUEUE} does not reach the dead letters and is not answered`;
  await eventually('it is told', () => alarms.at(-1)?.includes(problem));
  await channel.deleteQueue(QUEUE);
  await eventually('it is over', () => alarms.at(-1)?.includes(problem) === false);
});

test('lost connections come back by themselves; one that stays away, or is blocked, is told', async () => {
  startWatch();
  await open.broker.closeConnections('consumer');
  await eventually('it is back', () => open.broker.connections.consuming.current() !== null);
  await answersAgain();
  await eventually('and nothing is wrong', () => watch.problems().length === 0);
  await watch.stop();

  const state = () => ({
    consuming: { connected: false, blocked: false },
    publishing: { connected: true, blocked: true },
  });
  startWatch({ connections: { ...open.broker.connections, state } });
  const expected = ['the consuming connection is away', 'the broker takes no publications'];
  await eventually('it is told', () => expected.every((problem) => watch.problems().includes(problem)));
});

test('without an answer of the management API the start goes on, and it is told', async () => {
  startWatch({ management: managementOf('http://guest:guest@127.0.0.1:1') });
  await watch.verify();
  await eventually('it is told', () => watch.problems().join().includes('management API does not answer'));
  expect(JSON.stringify(open.broker.lines)).not.toContain('guest:guest');
  await answersAgain();
});
