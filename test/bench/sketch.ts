import { createHash, randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Channel, type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { isOperationName, OPERATIONS } from '../../contracts/operations.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { coalesceWrites } from '../../src/coalesce-writes.js';
import { FIRST_SKETCH_USER, queueOf, USERS } from './works.js';

/**
 * Measures the least cost of this shape: accounts in memory, one guarded statement per mixed batch, replies and events
 * in one write. It has no rights, limits, sessions, conflicts or repeats. It is a yardstick for the service, not a part
 * of it.
 * Started by the benchmark as a process of its own; the servers come from the environment.
 */
interface Account {
  id: string;
  user: number;
  phone: string;
  fence: number;
  sequence: number;
  lastUsedAt: number;
  session: string;
  lease: { id: string; lock: string; service: string; until: number } | null;
}

interface Received {
  channel: Channel;
  message: ConsumeMessage;
}

type Rows = Record<string, unknown>[];

const LOCK_MS = 30_000;
const MAX_BATCH = 512;
const MAX_IN_WORK = 2;

const database = new pg.Client({
  connectionString: process.env.DATABASE_URL,
  pipeline: true,
  // Without triggers: it publishes its events itself, and the service's relay must not do so once more.
  options:
    '-c jit=off -c enable_seqscan=off -c TimeZone=UTC -c session_replication_role=replica -c account_manager.keeps_versions=on',
});
const redisUrl = new URL(process.env.REDIS_URL ?? 'redis://localhost');
const redis = new Redis(new URL('/', redisUrl).href, { db: Number(redisUrl.pathname.slice(1) || '0') + 1 });
const accounts = new Map<string, Account>();
const free = new Map<number, Account[]>();
const isoOf = (at: number): string => new Date(at).toISOString();

async function loadAccounts(): Promise<void> {
  const { rows } = await database.query<Record<'id' | 'phone', string> & Record<'user' | 'fence' | 'sequence', number>>(
    `SELECT id::text, user_id::int AS user, phone, fence::int, event_sequence::int AS sequence
     FROM telegram_sessions WHERE user_id BETWEEN $1 AND $2 ORDER BY id`,
    [FIRST_SKETCH_USER, FIRST_SKETCH_USER + USERS],
  );
  for (const row of rows) {
    const account: Account = { ...row, lastUsedAt: 0, session: 'x'.repeat(353), lease: null };
    accounts.set(account.id, account);
    free.set(account.user, [...(free.get(account.user) ?? []), account]);
  }
}

const WRITE = `WITH accounts AS (
    UPDATE telegram_sessions s SET locked = c.locked, locked_by = c.locked_by, locked_until = c.locked_until,
      lease_id = c.lease_id, fence = c.fence, last_used_at = c.last_used_at, event_sequence = c.event_sequence
    FROM jsonb_to_recordset($1::jsonb) AS c(id uuid, was bigint, locked boolean, locked_by text, locked_until timestamptz,
      lease_id uuid, fence bigint, last_used_at timestamptz, event_sequence bigint)
    WHERE s.id = c.id AND s.event_sequence = c.was RETURNING 1),
  ended AS (
    UPDATE leases l SET ended_at = c.ended_at, end_reason = 'released'
    FROM jsonb_to_recordset($2::jsonb) AS c(id uuid, ended_at timestamptz) WHERE l.id = c.id AND l.ended_at IS NULL RETURNING 1),
  opened AS (
    INSERT INTO leases (id, account_id, user_id, service_name, caller, purpose, fence, lock_value, allocated_at, expires_at)
    SELECT * FROM jsonb_to_recordset($3::jsonb) AS c(id uuid, account_id uuid, user_id bigint, service_name text, caller text,
      purpose text, fence bigint, lock_value text, allocated_at timestamptz, expires_at timestamptz)
    WHERE (SELECT count(*) FROM ended) >= 0),
  events AS (
    INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at, request_id)
    SELECT * FROM jsonb_to_recordset($4::jsonb) AS c(event_id uuid, type text, account_id uuid, user_id bigint,
      sequence bigint, data jsonb, occurred_at timestamptz, request_id text)),
  answered AS (
    INSERT INTO answered_requests (caller, message_id, operation, body_hash, reply, answered_at)
    SELECT c.*, now() FROM jsonb_to_recordset($5::jsonb) AS c(caller text, message_id uuid, operation text, body_hash text, reply jsonb))
  SELECT (SELECT count(*) FROM accounts)::int AS accounts`;

/** Rows and messages that one batch writes and sends. */
class Batch {
  readonly now = Date.now();
  readonly before = new Map<Account, number>();
  readonly ended: Rows = [];
  readonly opened: Rows = [];
  readonly events: Rows = [];
  readonly answered: Rows = [];
  readonly replies: { message: ConsumeMessage; reply: object }[] = [];
  readonly locking = redis.pipeline();
  readonly afterwards = redis.pipeline();

  take({ message }: Received): void {
    const operation = message.fields.routingKey.slice(queueOf('sketch', '').length);
    if (!isOperationName(operation)) throw new Error(operation);
    const body = OPERATIONS[operation].request.parse(JSON.parse(message.content.toString())) as Record<string, unknown>;
    const hash = createHash('sha256')
      .update(`${operation}\n${JSON.stringify(body)}`)
      .digest('base64url');
    const id = String(message.properties.messageId);
    const reply = operation === 'account.allocate' ? this.allocate(body, id) : this.release(body, id);
    this.answered.push({ caller: '', message_id: id, operation, body_hash: hash, reply: { ...reply, phone: '' } });
    this.replies.push({ message, reply });
  }

  private touch(account: Account, type: string, data: object, requestId: string): void {
    if (!this.before.has(account)) this.before.set(account, account.sequence);
    account.sequence += 1;
    account.lastUsedAt = this.now;
    const { id: account_id, user: user_id, sequence } = account;
    const event = { event_id: randomUUID(), type, account_id, user_id, sequence, request_id: requestId };
    this.events.push({ ...event, data, occurred_at: isoOf(this.now) });
  }

  private allocate(body: Record<string, unknown>, requestId: string): object {
    const account = free.get(Number(body.user_id))?.shift();
    if (account === undefined) throw new Error('the sketch does not refuse');
    const until = this.now + 1_800_000;
    const lease = { id: randomUUID(), lock: randomUUID(), service: String(body.service_name), until };
    account.fence += 1;
    account.lease = lease;
    const terms = { account_id: account.id, user_id: account.user, service_name: lease.service, fence: account.fence };
    const times = { allocated_at: isoOf(this.now), expires_at: isoOf(until) };
    this.touch(account, 'account.allocated', { lease_id: lease.id, ...terms, ...times }, requestId);
    this.opened.push({ id: lease.id, ...terms, caller: null, purpose: 'general', lock_value: lease.lock, ...times });
    this.locking.set(`account_lock:${account.id}`, lease.lock, 'PX', LOCK_MS, 'NX');
    this.afterwards.pexpire(`account_lock:${account.id}`, until - this.now);
    const allocation = { ...terms, phone: account.phone, session_data: account.session, ...times, lease_id: lease.id };
    return { success: true, allocation };
  }

  private release(body: Record<string, unknown>, requestId: string): object {
    const account = accounts.get(String(body.account_id));
    const lease = account?.lease;
    if (account === undefined || lease?.id !== body.lease_id) throw new Error('the sketch does not refuse');
    account.lease = null;
    free.get(account.user)?.push(account);
    this.touch(account, 'account.released', { lease_id: lease?.id, fence: account.fence }, requestId);
    this.ended.push({ id: lease?.id, ended_at: isoOf(this.now) });
    this.afterwards.del(`account_lock:${account.id}`);
    return { success: true, message: 'account released', released_at: isoOf(this.now), fence: account.fence };
  }

  async write(): Promise<void> {
    const rows = [...this.before].map(([{ lease, ...account }, was]) => ({
      id: account.id,
      was,
      locked: lease !== null,
      locked_by: lease?.service ?? null,
      locked_until: lease === null ? null : isoOf(lease.until),
      lease_id: lease?.id ?? null,
      fence: account.fence,
      last_used_at: isoOf(account.lastUsedAt),
      event_sequence: account.sequence,
    }));
    const values = [rows, this.ended, this.opened, this.events, this.answered].map((part) => JSON.stringify(part));
    const writing = database.query<{ accounts: number }>({ name: 'write', text: WRITE, values });
    const [written] = await Promise.all([writing, this.locking.exec()]);
    if (written.rows[0]?.accounts !== rows.length) throw new Error('somebody else has changed the accounts');
    void this.afterwards.exec();
  }

  send(replies: Channel, events: Channel): void {
    for (const { message, reply } of this.replies) {
      const { replyTo, correlationId } = message.properties as { replyTo: string; correlationId: string };
      replies.publish('', replyTo, Buffer.from(JSON.stringify(reply)), { correlationId, messageId: randomUUID() });
    }
    for (const event of this.events) {
      const { event_id: id, type, occurred_at: time, data } = event;
      const cloudEvent = { specversion: '1.0', id, source: 'sketch', type, time, subject: event.account_id, data };
      const options = { persistent: true, messageId: String(id) };
      events.publish(EXCHANGES.events.name, String(type), Buffer.from(JSON.stringify(cloudEvent)), options);
    }
  }
}

const streamOf = (link: ChannelModel): Duplex =>
  (link as unknown as { connection: { stream: Duplex } }).connection.stream;

const url = process.env.RABBITMQ_URL ?? 'amqp://localhost';
const incoming = await connect(url, { noDelay: true });
const outgoing = await connect(url, { noDelay: true });
const replies = await outgoing.createChannel();
const events = await outgoing.createConfirmChannel();
for (const link of [incoming, outgoing]) coalesceWrites(streamOf(link));
const waiting: Received[] = [];
let inWork = 0;
/** A later batch must not acknowledge the messages of one before it. */
let sent = Promise.resolve();

async function work(): Promise<void> {
  inWork += 1;
  await new Promise(setImmediate);
  while (waiting.length > 0) {
    const received = waiting.splice(0, MAX_BATCH);
    const batch = new Batch();
    for (const one of received) batch.take(one);
    const before = sent;
    sent = Promise.all([batch.write(), before]).then(() => send(batch, received));
    await sent;
  }
  inWork -= 1;
}

function send(batch: Batch, received: readonly Received[]): void {
  batch.send(replies, events);
  const last = new Map(received.map(({ channel, message }) => [channel, message]));
  for (const [channel, message] of last) channel.ack(message, true);
}

await database.connect();
await loadAccounts();
for (const operation of ['account.allocate', 'account.release']) {
  const channel = await incoming.createChannel();
  const queue = queueOf('sketch', operation);
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.prefetch(256);
  await channel.consume(queue, (message) => {
    if (message === null) return;
    waiting.push({ channel, message });
    if (inWork < MAX_IN_WORK) void work();
  });
}
process.send?.('ready');
