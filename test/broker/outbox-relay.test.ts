import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Channel, ConsumeMessage } from 'amqplib';
import pg from 'pg';
import { cloudEvent } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { createOutboxRelay, type OutboxRelay } from '../../src/broker/outbox-relay.js';
import { createRecentEvents, type RecentEvents } from '../../src/store/history/recent-events.js';
import { createPublisher, type Publisher } from '../../src/broker/publish.js';
import { declareEvents } from '../../src/broker/topology.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from './open-broker.js';

let broker: OpenBroker;
let database: TestDatabase;
let sql: pg.Client;
let publisher: Publisher;
let relays: OutboxRelay[];
let recentEvents: RecentEvents;
/** The types of the events that were published, as they are counted. */
let published: string[];
beforeEach(async () => {
  [broker, database] = await Promise.all([openBroker(), createDatabase()]);
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  publisher = createPublisher({
    connection: broker.connections.publishing,
    name: 'events',
    declare: declareEvents,
    timeoutMs: 3_000,
    log: broker.log,
  });
  await eventually('the publisher is ready', () => publisher.isReady());
  relays = [];
  recentEvents = createRecentEvents();
  published = [];
});
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await publisher.close();
  await sql.end();
  await Promise.all([broker.close(), database.drop()]);
});

function startRelay(): OutboxRelay {
  const observe = { published: (rows: readonly { type: string }[]) => published.push(...rows.map(({ type }) => type)) };
  const relay = createOutboxRelay({ databaseUrl: database.url, publisher, recentEvents, log: broker.log, observe });
  relays.push(relay);
  relay.start();
  return relay;
}

const accounts = [randomUUID(), randomUUID(), randomUUID()] as const;
const sequences = new Map<string, number>();
beforeEach(() => sequences.clear());

/** Appends events of these accounts, in one transaction, as the operations do. */
async function append(
  of: readonly string[],
  client: pg.Client = sql,
  beforeCommit: () => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  const ids = of.map(() => randomUUID());
  await client.query('BEGIN');
  for (const [index, account] of of.entries()) {
    const sequence = (sequences.get(account) ?? 0) + 1;
    sequences.set(account, sequence);
    await client.query(
      `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at, request_id)
       VALUES ($1, 'account.released', $2, 7, $3, '{"lease_id": "x"}', '2026-01-02T03:04:05.678Z', 'request')`,
      [ids[index], account, sequence],
    );
  }
  await client.query("SELECT pg_notify('outbox', '')");
  await beforeCommit();
  await client.query('COMMIT');
  return ids;
}

interface Subscriber {
  received: ConsumeMessage[];
  ids(): string[];
  /** The order in which an account's sequences were first seen. */
  sequencesOf(account: string): number[];
}

/** Binds a queue to all events. */
async function subscribe(
  args: Record<string, unknown> = {},
): Promise<Subscriber & { queue: string; channel: Channel }> {
  const channel = await broker.plain.createChannel();
  await declareEvents(channel);
  const { queue } = await channel.assertQueue('', { arguments: args });
  await channel.bindQueue(queue, EXCHANGES.events.name, '#');
  const received: ConsumeMessage[] = [];
  const subscriber = {
    queue,
    channel,
    received,
    ids: () => received.map(({ properties }) => String(properties.messageId)),
    sequencesOf: (account: string) => {
      const all = received.map(({ content }) => cloudEvent.parse(JSON.parse(content.toString())));
      return [...new Set(all.filter(({ subject }) => subject === account).map(({ data }) => data.sequence ?? 0))];
    },
  };
  return subscriber;
}

const listen = async ({ channel, queue, received }: Awaited<ReturnType<typeof subscribe>>): Promise<void> => {
  await channel.consume(queue, (message) => message !== null && received.push(message), { noAck: true });
};

async function countUnpublished(): Promise<number> {
  const { rows } = await sql.query<{ count: string }>('SELECT count(*) FROM outbox');
  return Number(rows[0]?.count);
}

const allPublished = () => eventually('all is published', async () => (await countUnpublished()) === 0);

test('a committed event is published at once, as the contract has it', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  const relay = startRelay();
  await eventually('it relays', () => relay.state() === 'relaying');
  const [id] = await append([accounts[0]]);

  await eventually('it has come', () => subscriber.received.length === 1, 900);
  const [message] = subscriber.received;
  expect(message?.fields.routingKey).toBe('account.released');
  expect(message?.properties).toMatchObject({
    messageId: id,
    contentType: 'application/cloudevents+json',
    deliveryMode: 2,
  });
  expect(cloudEvent.parse(JSON.parse(String(message?.content)))).toMatchObject({
    id,
    subject: accounts[0],
    time: '2026-01-02T03:04:05.678Z',
    data: { account_id: accounts[0], user_id: 7, sequence: 1, lease_id: 'x', request_id: 'request' },
  });
  await allPublished();
  await eventually('it is counted', () => published.join() === 'account.released');
});

test('news for an operator is logged once, even when the event is published at the third try', async () => {
  let tries = 0;
  const publish = () => (++tries < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve());
  const relay = createOutboxRelay({ databaseUrl: database.url, publisher: { publish }, recentEvents, log: broker.log });
  relays.push(relay);
  relay.start();
  await append([accounts[0]]);
  await sql.query(
    `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
     VALUES (gen_random_uuid(), 'account.lease_expired', $1, 7, 2, '{"service_name": "inviting"}', now())`,
    [accounts[0]],
  );
  await allPublished();
  const sentence = `the lease of account ${accounts[0]} expired: inviting did not release it`;
  expect(broker.lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual([
    'the outbox relay works here from now on',
    sentence,
  ]);
  expect(broker.lines.find(({ message }) => message === sentence)?.fields).toMatchObject({
    event: 'account.lease_expired',
    account_id: accounts[0],
    user_id: 7,
  });
});

test('events that piled up are published once, in order per account', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  const ids = await append(Array.from({ length: 1_200 }, (_, n) => accounts[n % 3] ?? ''));
  startRelay();
  await allPublished();
  await eventually('all have come', () => subscriber.received.length >= ids.length);
  expect(subscriber.ids().sort()).toEqual(ids.sort());
  for (const account of accounts) {
    expect(subscriber.sequencesOf(account)).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
  }
});

test('an id that becomes visible late is not passed over', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  const slow = new pg.Client({ connectionString: database.url });
  await slow.connect();
  await slow.query('BEGIN');
  const late = randomUUID();
  await slow.query(
    `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
     VALUES ($1, 'account.renewed', $2, 7, 1, '{}', now())`,
    [late, accounts[1]],
  );
  startRelay();
  await append([accounts[0]]);
  await eventually('the later id has come', () => subscriber.received.length === 1);
  await slow.query('COMMIT');
  await slow.end();
  await eventually('the earlier one too, though nobody notified', () => subscriber.ids().includes(late));
});

test('one of two works; when its session is killed the other takes over and nothing is missing', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  const [first, second] = [startRelay(), startRelay()];
  const states = () => [first.state(), second.state()].sort();
  await eventually('one works, one waits', () => states().join() === 'relaying,waiting');
  const worker = first.state() === 'relaying' ? first : second;

  const ids: string[] = [];
  for (let n = 0; n < 20; n++) {
    ids.push(...(await append([accounts[0], accounts[1], accounts[0]])));
    if (n !== 10) continue;
    await sql.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks
       WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
  }
  await eventually('it is seen', () => worker.state() !== 'relaying');
  await allPublished();
  await eventually('all have come', () => new Set(subscriber.ids()).size === ids.length);
  expect(subscriber.sequencesOf(accounts[0])).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  await eventually('one works, one waits again', () => states().join() === 'relaying,waiting');
});

test('refused by a full queue, events stay, in order, until there is room', async () => {
  const subscriber = await subscribe({ 'x-max-length': 2, 'x-overflow': 'reject-publish' });
  startRelay();
  const ids = await append([accounts[0], accounts[1], accounts[0], accounts[2], accounts[0]]);
  await eventually('some are refused', () =>
    broker.lines.some(({ message }) => message === 'events could not be published'),
  );
  expect(await countUnpublished()).toBeGreaterThan(0);

  await listen(subscriber);
  await allPublished();
  expect(new Set(subscriber.ids())).toEqual(new Set(ids));
  expect(subscriber.sequencesOf(accounts[0])).toEqual([1, 2, 3]);
});

test('an account whose event is refused keeps no other account’s events back', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  // Full at once, and bound to one kind of event: a subscriber that is in nobody else's way.
  await subscriber.channel.assertQueue('full', { arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } });
  await subscriber.channel.bindQueue('full', EXCHANGES.events.name, 'account.blocked');
  await sql.query(
    `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
     VALUES (gen_random_uuid(), 'account.blocked', $1, 7, 1, '{}', now())`,
    [accounts[0]],
  );
  sequences.set(accounts[0], 1);
  await append([accounts[0], ...Array.from({ length: 100 }, () => accounts[1])]);
  startRelay();
  await eventually('the others are published', async () => (await countUnpublished()) === 2);
  const failed = broker.lines.filter(({ message }) => message === 'events could not be published');
  expect(failed.length).toBeLessThan(10);
  expect(subscriber.sequencesOf(accounts[1])).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  expect(subscriber.sequencesOf(accounts[0])).toEqual([1]);

  await subscriber.channel.deleteQueue('full');
  await allPublished();
  expect(subscriber.sequencesOf(accounts[0])).toEqual([1, 2]);
});

test('a connection to the broker that is closed under load costs no event', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  startRelay();
  await append([accounts[0]]);
  await allPublished();
  const ids = subscriber.ids();
  const closed = broker.closeConnections('publisher');
  for (let n = 0; n < 50; n++) ids.push(...(await append([accounts[0], accounts[1]])));
  await closed;
  for (let n = 0; n < 50; n++) ids.push(...(await append([accounts[0], accounts[1]])));
  await allPublished();
  await eventually('all have come', () => new Set(subscriber.ids()).size === 201);
  expect(subscriber.sequencesOf(accounts[0])).toEqual(Array.from({ length: 101 }, (_, n) => n + 1));
});

test('events that this process has just committed are published from memory, the rest are read, in one order', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  const relay = startRelay();
  await eventually('it relays', () => relay.state() === 'relaying');
  const [own, others] = [accounts[0], accounts[1]];
  const eventIds = await append([own, others, own], sql, async () => {
    const { rows } = await sql.query<{ id: string; eventId: string; sequence: string }>(
      'SELECT id, event_id AS "eventId", sequence FROM events WHERE account_id = $1 ORDER BY id',
      [own],
    );
    recentEvents.keep(
      rows.map(({ id }) => id),
      rows.map(({ eventId, sequence }) => ({
        eventId,
        type: 'account.released',
        accountId: own,
        userId: 7,
        sequence: Number(sequence),
        data: { from: 'memory' },
        requestId: null,
        traceparent: null,
        caller: null,
      })),
      Date.now(),
    );
  });
  await eventually('all have come', () => subscriber.received.length === 3);
  expect(new Set(subscriber.ids())).toEqual(new Set(eventIds));
  expect(subscriber.sequencesOf(own)).toEqual([1, 2]);
  const from = subscriber.received.map(({ content }) => {
    const { subject, data } = cloudEvent.parse(JSON.parse(content.toString()));
    return [subject, (data as { from?: string }).from];
  });
  // In groups that hold one event of an account each.
  expect(from).toEqual([
    [own, 'memory'],
    [others, undefined],
    [own, 'memory'],
  ]);
  await allPublished();
});

test('an event that is kept only after it was read is published once, and is not kept for ever', async () => {
  const subscriber = await subscribe();
  await listen(subscriber);
  const relay = startRelay();
  await eventually('it relays', () => relay.state() === 'relaying');
  await append([accounts[0]]);
  await allPublished();
  const late = { type: 'account.released' as const, accountId: accounts[0], userId: 7, sequence: 1, data: {} };
  const event = { ...late, eventId: randomUUID(), requestId: null, traceparent: null, caller: null };
  for (let id = 1; id <= 5_001; id++) recentEvents.keep([String(id)], [event], 0);
  expect(recentEvents.take(['1'])).toEqual([]);
  expect(recentEvents.take(['2'])).toHaveLength(1);
  await append([accounts[1]]);
  await eventually('both have come', () => subscriber.received.length === 2);
  await relay.stop();
  expect(recentEvents.take(['3'])).toEqual([]);
});
