import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import { EXCHANGES, PARKED, REQUEST_QUEUE_ARGUMENTS, REQUEST_QUEUES, RETRY_STEPS } from '../../contracts/topology.js';
import { declareTopology, TopologyMismatch } from '../../src/broker/topology.js';
import { manage } from '../support/vhost.js';
import { type OpenBroker, openBroker } from './open-broker.js';

let broker: OpenBroker;
beforeEach(async () => {
  broker = await openBroker();
});
afterEach(() => broker.close());

interface Binding {
  source: string;
  routing_key: string;
}

test('declares the contract, and declaring it again or twice at once changes nothing', async () => {
  await Promise.all([declareTopology(broker.plain), declareTopology(broker.plain)]);
  await declareTopology(broker.plain);

  const queues = (await manage('GET', `/api/queues/${broker.vhost.name}`)) as { name: string; arguments: object }[];
  const wanted = [...Object.values(REQUEST_QUEUES), ...RETRY_STEPS, PARKED].map((queue) => queue.name);
  expect(queues.map((queue) => queue.name).sort()).toEqual([...wanted, 'account-manager.dead-letters'].sort());
  const allocate = queues.find((queue) => queue.name === REQUEST_QUEUES.allocate.name);
  expect(allocate?.arguments).toEqual(REQUEST_QUEUE_ARGUMENTS);

  const exchanges = (await manage('GET', `/api/exchanges/${broker.vhost.name}`)) as { name: string; type: string }[];
  for (const { name, type } of Object.values(EXCHANGES))
    expect(exchanges).toContainEqual(expect.objectContaining({ name, type }));
});

test('binds the admin queue once per operation, to the admin exchange alone', async () => {
  await declareTopology(broker.plain);
  const path = `/api/queues/${broker.vhost.name}/${REQUEST_QUEUES.admin.name}/bindings`;
  const bindings = ((await manage('GET', path)) as Binding[]).filter(({ source }) => source !== '');
  expect(new Set(bindings.map(({ source }) => source))).toEqual(new Set([EXCHANGES.admin.name]));
  const operations = OPERATION_NAMES.filter((name) => OPERATIONS[name].queue === 'admin');
  expect(bindings.map(({ routing_key }) => routing_key).sort()).toEqual([...operations].sort());
});

test('each retry step leads to its own queue, and its routing key is kept', async () => {
  await declareTopology(broker.plain);
  const channel = await broker.plain.createConfirmChannel();
  for (const { header } of RETRY_STEPS) {
    channel.publish(EXCHANGES.retry.name, 'query.status', Buffer.from('{}'), { headers: { 'x-retry': header } });
  }
  await channel.waitForConfirms();
  for (const { name } of RETRY_STEPS) {
    const message = await channel.get(name);
    expect(message && message.fields.routingKey).toBe('query.status');
  }
});

describe('an entity that differs from the contract stops the start', () => {
  test('an argument too many, too few or different, and an exchange of another type: all are told', async () => {
    const channel = await broker.plain.createChannel();
    const args = { ...REQUEST_QUEUE_ARGUMENTS };
    await channel.assertExchange(EXCHANGES.requests.name, 'direct');
    await channel.assertQueue(REQUEST_QUEUES.query.name, { arguments: { ...args, 'x-delivery-limit': 3 } });
    await channel.assertQueue(REQUEST_QUEUES.action.name, { arguments: { 'x-queue-type': 'quorum' } });
    await channel.assertQueue(PARKED.name, { arguments: { ...PARKED.arguments, 'x-max-length': 5 } });

    const mismatch = await declareTopology(broker.plain).catch((error: unknown) => error);
    expect(mismatch).toBeInstanceOf(TopologyMismatch);
    const { differences, message } = mismatch as TopologyMismatch;
    const told = differences.join('\n');
    expect(told).toMatch(/'type' for exchange 'account-manager\.requests'.*received 'topic' but current is 'direct'/);
    expect(told).toMatch(/'x-delivery-limit' for queue 'account-manager\.query'.*received '20' but current is '3'/);
    expect(told).toMatch(/queue 'account-manager\.action'.*current is none/);
    expect(told).toMatch(/'x-max-length' for queue 'account-manager\.parked'.*received '5000' but current is '5'/);
    expect(message).toContain('differs from the contract');
  });

  test('each argument of the request queues is compared', async () => {
    for (const [name, value] of Object.entries(REQUEST_QUEUE_ARGUMENTS)) {
      if (name === 'x-queue-type') continue;
      const channel = await broker.plain.createChannel();
      channel.on('error', () => undefined);
      const { [name as keyof typeof REQUEST_QUEUE_ARGUMENTS]: _left, ...rest } = REQUEST_QUEUE_ARGUMENTS;
      const queue = REQUEST_QUEUES.allocate.name;
      await channel.assertQueue(queue, { arguments: rest });
      await expect(declareTopology(broker.plain)).rejects.toThrow(`'${name}' for queue '${queue}'`);
      await (await broker.plain.createChannel()).deleteQueue(queue);
      expect(value).toBeDefined();
    }
  });
});
