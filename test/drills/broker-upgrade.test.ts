import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ConfirmChannel, connect } from 'amqplib';
import { EXCHANGES } from '../../contracts/topology.js';
import { migrate } from '../../scripts/migrate.mjs';
import { rabbitmqctl } from '../../scripts/servers/rabbitmq.mjs';
import { startServers, stopServers } from '../../scripts/servers.mjs';
import { eventually } from '../support/eventually.js';
import { connectRpc } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';

// docs/high-availability.md, carried out: RabbitMQ 4.0 goes to 4.3 with its data, among them requests that wait, messages
// that are parked, and events that nobody has taken yet.

const [OLD, NEW] = ['4.0', '4.3'];
const USER = 6_600;
const WAITING = 20;
const [REPLIES, EVENTS] = ['reply.drill', 'drill.events'];

let folder: string;
let given: string | undefined;
let service: RunningService | undefined;
beforeAll(() => {
  given = process.env.RABBITMQ;
  const local = path.resolve(import.meta.dirname, '../../.local');
  mkdirSync(local, { recursive: true });
  folder = mkdtempSync(path.join(local, 'broker-upgrade-'));
});
afterAll(async () => {
  await service?.kill();
  await stopServers(folder, { removeData: true });
  if (given === undefined) delete process.env.RABBITMQ;
  else process.env.RABBITMQ = given;
});

/** Servers of their own, on the data of those before, with the RabbitMQ named. */
async function start(version = '') {
  process.env.RABBITMQ = version;
  const urls = await startServers(folder, { given: {}, say: () => {} });
  const response = await fetch(new URL('/api/overview', urls.RABBITMQ_MANAGEMENT_URL.replace('guest:guest@', '')), {
    headers: { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` },
  });
  const { rabbitmq_version } = (await response.json()) as { rabbitmq_version: string };
  expect(rabbitmq_version).toMatch(new RegExp(`^${version}\\.`));
  return urls;
}

/** RabbitMQ's own command line. */
function control(...args: string[]): Promise<string> {
  const { processes } = JSON.parse(readFileSync(path.join(folder, 'state.json'), 'utf8')) as {
    processes: { rabbitmq: Parameters<typeof rabbitmqctl>[0] };
  };
  return rabbitmqctl(processes.rabbitmq, ...args);
}

async function onChannel<T>(url: string, work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  const connection = await connect(url);
  try {
    return await work(await connection.createConfirmChannel());
  } finally {
    await connection.close();
  }
}

/** Messages of a queue, taken out of it. */
async function drain(channel: ConfirmChannel, queue: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) return found;
    found.push(JSON.parse(message.content.toString()));
  }
}

test('requests, parked messages and events outlive the upgrade of the broker', async () => {
  const urls = await start(OLD);
  await migrate(urls.DATABASE_URL);
  service = await startService({ ...urls, LOG_LEVEL: 'warn' });
  const rpc = await connectRpc(urls.RABBITMQ_URL);
  const accounts = [{ user_id: USER, phone: `+6600${Date.now()}`, session_data: telethonSession() }];
  expect((await rpc.call('admin.register', { accounts })).success).toBe(true);
  await onChannel(urls.RABBITMQ_URL, async (channel) => {
    const arguments_ = { 'x-queue-type': 'quorum' };
    for (const queue of [REPLIES, EVENTS]) await channel.assertQueue(queue, { durable: true, arguments: arguments_ });
    await channel.bindQueue(EVENTS, EXCHANGES.events.name, '#');
    channel.publish(EXCHANGES.requests.name, 'account.release', Buffer.from('no JSON'), { persistent: true });
    await channel.waitForConfirms();
  });
  const parked = async (client: typeof rpc) =>
    ((await client.call('admin.parked', { action: 'list' })) as unknown as { messages: unknown[] }).messages;
  await eventually('the message is parked', async () => (await parked(rpc)).length === 1);
  const { allocation } = (await rpc.call('account.allocate', {
    user_id: USER,
    purpose: 'general',
    service_name: 'drill',
  })) as unknown as {
    allocation: { account_id: string; lease_id: string; fence: number };
  };
  await rpc.close();
  expect(await service.stop()).toBe(0);

  const { account_id, lease_id, fence } = allocation;
  const bodies = [
    ...Array.from({ length: WAITING - 1 }, () => ['action.check', { account_id, action_type: 'message' }] as const),
    [
      'account.release',
      { account_id, lease_id, fence, service_name: 'drill', usage_stats: { success: true } },
    ] as const,
  ];
  await onChannel(urls.RABBITMQ_URL, async (channel) => {
    for (const [operation, body] of bodies) {
      const [messageId, contentType] = [randomUUID(), 'application/json'];
      const named = { messageId, correlationId: messageId, contentType, persistent: true, replyTo: REPLIES };
      channel.publish(EXCHANGES.requests.name, operation, Buffer.from(JSON.stringify(body)), named);
    }
    await channel.waitForConfirms();
  });
  await control('enable_feature_flag', 'all');
  await stopServers(folder);

  const upgraded = await start(NEW);
  expect(upgraded.DATABASE_URL).toBe(urls.DATABASE_URL);
  await control('enable_feature_flag', 'all');
  service = await startService({ ...upgraded, LOG_LEVEL: 'warn' });
  await onChannel(upgraded.RABBITMQ_URL, async (channel) => {
    const replies: unknown[] = [];
    await eventually('every request is answered', async () => {
      replies.push(...(await drain(channel, REPLIES)));
      return replies.length === WAITING;
    });
    expect(replies).toEqual(Array(WAITING).fill(expect.objectContaining({ success: true })));
    const types: string[] = [];
    await eventually('the events are there', async () => {
      types.push(...((await drain(channel, EVENTS)) as { type: string }[]).map(({ type }) => type));
      return types.includes('account.released');
    });
    expect(types).toEqual(expect.arrayContaining(['account.allocated', 'account.released']));
  });
  const later = await connectRpc(upgraded.RABBITMQ_URL);
  expect(await parked(later)).toHaveLength(1);
  const again = await later.call('account.allocate', { user_id: USER, purpose: 'general', service_name: 'drill' });
  expect(again).toMatchObject({ success: true, allocation: { account_id, fence: fence + 1 } });
  await later.close();
  expect(await service.stop()).toBe(0);
}, 300_000);
