import { parseArgs } from 'node:util';
import pg from 'pg';
import { seedAccounts } from '../support/seed-accounts.js';
import { startService } from '../support/service.js';
import { percentiles } from '../support/steady-load.js';
import { LIMITS_FILE } from './audit.js';
import { type Caller, connectCaller } from './caller.js';
import { AS_SERVICE, FIRST_USER, type Holder, release, SERVICE, succeed, USERS } from './works.js';

/**
 * Measures what an allocation and its release cost as the installation grows: a small fleet; then the same users in a
 * large one; then with a long history, alone and while it is removed; then an account with many channels. Fresh servers
 * come from the environment.
 */
const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000000' },
    /** Events, leases and answered requests, of each so many. */
    history: { type: 'string', default: '10000000' },
    channels: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '15' },
  },
});
const [accounts, history, channels] = [Number(values.accounts), Number(values.history), Number(values.channels)];
const seconds = Number(values.seconds);
const [PER_USER, CALLERS] = [100, 16];
const CHUNK = 100_000;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1, options: AS_SERVICE });
const query = async <T extends pg.QueryResultRow>(sql: string, given: unknown[] = []) =>
  (await pool.query<T>(sql, given)).rows;

/** Without the session: the accounts of this bench have none. */
async function allocate(caller: Caller, userId: number): Promise<Holder> {
  const wish = { user_id: userId, purpose: 'general', service_name: SERVICE, include_session: false };
  const { allocation } = await succeed(caller, 'account.allocate', wish);
  const { account_id, lease_id, fence } = allocation as Holder;
  return { account_id, lease_id, fence, service_name: SERVICE };
}

/** Lengths of requests, milliseconds; half of them are allocations. */
async function serve(caller: Caller, forSeconds: number): Promise<number[]> {
  const lengths: number[] = [];
  const endAt = performance.now() + forSeconds * 1000;
  const timed = async <T>(request: Promise<T>): Promise<T> => {
    const from = performance.now();
    const answer = await request;
    lengths.push(performance.now() - from);
    return answer;
  };
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, index) => {
      while (performance.now() < endAt) {
        const lease = await timed(allocate(caller, FIRST_USER + (index % USERS)));
        await timed(release(caller, lease));
      }
    }),
  );
  return lengths;
}

/** Lengths of acquired actions in a channel, one after the other, in milliseconds. */
async function act(caller: Caller, holder: Holder, forSeconds: number): Promise<number[]> {
  const lengths: number[] = [];
  const endAt = performance.now() + forSeconds * 1000;
  const wish = { ...holder, action_type: 'message', target_channel_id: '@channel1' };
  while (performance.now() < endAt) {
    const from = performance.now();
    await succeed(caller, 'action.acquire', wish);
    lengths.push(performance.now() - from);
  }
  return lengths;
}

/** Statements over the numbers of a chunk, until there are so many rows. */
async function fill(count: number, sql: string): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) await query(sql, [from, Math.min(from + CHUNK, count) - 1]);
}

const LONG_AGO = `now() - interval '400 days' + n * interval '1 second'`;
const LATER = `${LONG_AGO} + interval '1 minute'`;

/** History of the users' own accounts: the rows that their batches write beside. */
async function fillHistory(): Promise<void> {
  const account = `(ARRAY(SELECT id FROM telegram_sessions WHERE user_id >= ${FIRST_USER} AND user_id < ${FIRST_USER + USERS} ORDER BY id))`;
  await query('ALTER TABLE events DISABLE TRIGGER USER');
  await fill(
    history,
    `INSERT INTO events (event_id, type, account_id, user_id, data, occurred_at)
     SELECT gen_random_uuid(), 'alert.info', NULL, NULL, '{"alert":"bench"}', ${LONG_AGO} FROM generate_series($1::bigint, $2) n`,
  );
  await query('ALTER TABLE events ENABLE TRIGGER USER');
  await fill(
    history,
    `INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, allocated_at, expires_at, ended_at, end_reason)
     SELECT gen_random_uuid(), a.ids[1 + n % ${USERS * PER_USER}], ${FIRST_USER}, 'bench', 'general', 1000000 + n, ${LONG_AGO}, ${LATER}, ${LATER}, 'released'
     FROM generate_series($1::bigint, $2) n, (SELECT ${account} AS ids) a`,
  );
  await fill(
    history,
    `INSERT INTO answered_requests (caller, message_id, operation, body_hash, reply, answered_at)
     SELECT 'bench', gen_random_uuid(), 'account.release', 'x', '{"success":true}', ${LONG_AGO} FROM generate_series($1::bigint, $2) n`,
  );
  await query('VACUUM ANALYZE');
}

const at = (lengths: readonly number[], share: number): number =>
  [...lengths].sort((a, b) => a - b)[Math.min(lengths.length - 1, Math.floor(lengths.length * share))] ?? 0;

function tell(what: string, lengths: readonly number[], base: readonly number[] = lengths): void {
  const times = (share: number) => (at(lengths, share) / at(base, share)).toFixed(2);
  console.log(`${what.padEnd(44)} ${percentiles([...lengths])} | p50 × ${times(0.5)}, p99 × ${times(0.99)}`);
}

for (let user = FIRST_USER; user < FIRST_USER + USERS; user++) await seedAccounts({ query }, user, PER_USER);
await query('VACUUM ANALYZE');
const service = await startService({ LOG_LEVEL: 'error', JOBS_ENABLED: 'false', LIMITS_FILE });
const caller = await connectCaller(process.env.RABBITMQ_URL ?? 'amqp://localhost');
await serve(caller, seconds);
const small = await serve(caller, seconds);
tell('1,000 accounts', small);
for (let from = 0; from < accounts; from += CHUNK) await seedAccounts({ query }, 800_000 + from / CHUNK, CHUNK);
await query('VACUUM ANALYZE');
await serve(caller, seconds);
tell(`beside ${accounts} others`, await serve(caller, seconds), small);
await fillHistory();
await serve(caller, seconds);
tell(`with ${history} rows in each history`, await serve(caller, seconds), small);
const removing = succeed(caller, 'admin.run-job', { job: 'cleanup-rate-limits' });
tell('while the history is removed', await serve(caller, seconds), small);
await removing;

const [few, many] = [await allocate(caller, FIRST_USER), await allocate(caller, FIRST_USER)];
await fill(
  channels,
  `INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total)
   SELECT '${many.account_id}', 'message', '@other' || n, CURRENT_DATE, 1, 1 FROM generate_series($1::bigint, $2) n`,
);
const base = await act(caller, few, seconds / 2);
tell('actions of an account with one channel', base);
tell(`actions of an account with ${channels} channels`, await act(caller, many, seconds / 2), base);

await caller.close();
await service.stop();
await pool.end();
