import { parseArgs } from 'node:util';
import pg from 'pg';
import { ACTION_TYPES } from '../../contracts/fields.js';
import { parseSessionKey, sessionKeyId } from '../../src/store/sessions/session-cipher.js';
import { startService } from '../support/service.js';
import { type Caller, connectCaller } from './caller.js';
import { AS_SERVICE } from './works.js';

/**
 * Measures the cost of a page of each view in a large fleet, asked over RabbitMQ: first alone, then beside allocations
 * and releases. Fresh servers come from the environment.
 */
const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000000' },
    pages: { type: 'string', default: '200' },
    callers: { type: 'string', default: '4' },
    /** The fleet of an earlier run is there still. */
    filled: { type: 'boolean', default: false },
    /** The views to measure: a part of their names. */
    views: { type: 'string', default: '' },
  },
});
const [accounts, pages, callers] = [Number(values.accounts), Number(values.pages), Number(values.callers)];
const CHUNK = 100_000;
/** Each user has so many accounts. */
const PER_USER = 100;
const WORKING_USER = 9_000_000;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1, options: AS_SERVICE });
const query = async <T extends pg.QueryResultRow>(sql: string, given: unknown[] = []) =>
  (await pool.query<T>(sql, given)).rows;
const keyId = sessionKeyId(parseSessionKey('ab'.repeat(32)));

/** In 100 accounts 5 are leased, 4 wait, 2 are blocked, 1 is draining and 4 are disabled. */
async function fill(): Promise<void> {
  for (let from = 0; from < accounts; from += CHUNK) {
    const to = Math.min(from + CHUNK, accounts);
    await query(
      `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint, session_metadata,
         status, is_active, disabled_reason, flood_wait_until, blocked_until, event_sequence, last_used_at)
       SELECT md5('account ' || n)::uuid, n / $3, '+49' || (1000000000 + n * 7), '\\x00', $4, 'bench ' || n,
         jsonb_build_object('proxy', 'socks5://proxy-' || n % 50 || ':1080'),
         (CASE WHEN k < 4 THEN 'flood_wait' WHEN k < 6 THEN 'blocked' WHEN k = 6 THEN 'draining' WHEN k < 11 THEN 'disabled'
           ELSE 'active' END)::account_status,
         k NOT BETWEEN 7 AND 10, CASE WHEN k BETWEEN 7 AND 10 THEN (ARRAY['banned', 'needs_reauth', 'manual', 'frozen'])[k - 6] END,
         CASE WHEN k < 4 THEN now() + n % 7200 * interval '10 seconds' + interval '1 hour' END,
         CASE WHEN k IN (4, 5) THEN now() + n % 7200 * interval '10 seconds' + interval '1 hour' END,
         1, now() - n % 100000 * interval '1 second'
       FROM (SELECT n, n * 37 % 100 AS k FROM generate_series($1::bigint, $2::bigint - 1) n) numbered`,
      [from, to, PER_USER, keyId],
    );
    console.log(`  ${to} accounts`);
  }
  await query(`
    INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
    SELECT gen_random_uuid(), CASE WHEN status = 'active' THEN 'account.registered' ELSE 'account.' || status END, id, user_id, 1,
      jsonb_build_object('error_class', 'flood_wait', 'telegram_error', 'FLOOD_WAIT_X'), now() - interval '1 hour'
    FROM telegram_sessions WHERE status <> 'active' OR left(id::text, 1) = '0'`);
  await query('TRUNCATE outbox');
  await query(`
    WITH leased AS (
      UPDATE telegram_sessions SET locked = true, locked_by = 'service-' || user_id % 20, lease_id = gen_random_uuid(), fence = 1,
        locked_until = now() + interval '1 hour' + user_id % 3600 * interval '1 second'
      WHERE status = 'active' AND left(id::text, 2) < '0e' RETURNING *)
    INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, allocated_at, expires_at)
    SELECT lease_id, id, user_id, locked_by, 'invite_campaign', 1, now(), locked_until FROM leased`);
  await query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count)
     SELECT id, action, CURRENT_DATE, 3 FROM telegram_sessions, unnest($1::text[]) action WHERE left(id::text, 1) IN ('0', '1', '2')`,
    [ACTION_TYPES.slice(0, 2)],
  );
  await query(`
    INSERT INTO counted_actions (id, account_id, lease_id, service_name, action_type, quantity, counted_at, settled_at)
    SELECT gen_random_uuid(), account_id, id, service_name, 'invite', 1, now(), now() FROM leases, generate_series(1, 2)`);
  await query(`
    INSERT INTO alerts (id, kind, subject, severity, data, raised_at, resolved_at)
    SELECT gen_random_uuid(), 'limit_exceeded', n::text, 'warning', '{}', now() - n * interval '1 minute', CASE WHEN n > 500 THEN now() END
    FROM generate_series(1, 20000) n`);
  await query(`
    INSERT INTO series_samples (step_seconds, at, values)
    SELECT step, date_trunc('hour', now()) - n * step * interval '1 second',
      (SELECT jsonb_object_agg(name, n) FROM unnest(ARRAY['accounts.active', 'accounts.disabled', 'leases.open', 'grants', 'recoveries',
        'requests.account', 'requests.account.p50_ms', 'requests.account.p99_ms', 'refusals.ALL_BUSY', 'actions.invite']) name)
    FROM (VALUES (60, 2880), (3600, 2160)) AS s(step, samples), generate_series(1, samples) n`);
  await query('VACUUM ANALYZE');
}

const pick = (below: number): number => Math.floor(Math.random() * below);
const hex = (digits: number): string => Array.from({ length: digits }, () => pick(16).toString(16)).join('');
const anywhere = (): string => hex(32);

/** A request for some page of each view. */
const VIEWS: Record<string, () => [operation: string, body: object]> = {
  'accounts, a page anywhere': () => ['query.accounts', { cursor: anywhere() }],
  'accounts that wait': () => ['query.accounts', { status: 'flood_wait', cursor: anywhere() }],
  'accounts that are active': () => ['query.accounts', { status: 'active', cursor: anywhere() }],
  'accounts that are banned': () => ['query.accounts', { disabled_reason: 'banned', cursor: anywhere() }],
  'accounts of a service': () => ['query.accounts', { leased_by: `service-${pick(20)}`, cursor: anywhere() }],
  'accounts of a user': () => ['query.accounts', { user_id: pick(accounts / PER_USER) }],
  'search: beginning of an id': () => ['query.accounts', { search: `${hex(7)}a` }],
  'search: 6 digits of a phone': () => ['query.accounts', { search: String(100_000 + pick(900_000)) }],
  leases: () => ['query.leases', {}],
  'leases of a service': () => ['query.leases', { service_name: `service-${pick(20)}` }],
  'leases of a user': () => ['query.leases', { user_id: pick(accounts / PER_USER) }],
  recoveries: () => ['query.recoveries', {}],
  jobs: () => ['query.jobs', {}],
  'alerts, open': () => ['query.alerts', {}],
  'alerts, all': () => ['query.alerts', { state: 'all' }],
  events: () => ['query.events', {}],
  'series, 6 hours': () => ['query.series', {}],
  'series, 90 days': () => [
    'query.series',
    { names: ['grants'], from: new Date(Date.now() - 89 * 86_400_000).toISOString() },
  ],
  policy: () => ['query.policy', {}],
  'explain, a user': () => ['query.explain', { user_id: pick(accounts / PER_USER), purpose: 'invite_campaign' }],
};

async function measure(
  caller: Caller,
  view: () => [string, object],
): Promise<{ p50: number; p99: number; fault: string }> {
  const lengths: number[] = [];
  let fault = '';
  for (let n = 0; n < pages; n++) {
    const from = performance.now();
    const { success, error } = await caller.ask(...view());
    if (success !== true) fault = JSON.stringify(error);
    lengths.push(performance.now() - from);
  }
  lengths.sort((a, b) => a - b);
  const at = (share: number) => lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), fault };
}

/** Allocates and releases until told to stop; answers how many times. */
async function work(caller: Caller, stop: AbortSignal): Promise<number> {
  const wish = { user_id: WORKING_USER, purpose: 'general', service_name: 'bench', include_session: false };
  const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
  let done = 0;
  while (!stop.aborted) {
    const { allocation } = await caller.ask('account.allocate', wish);
    const { account_id, lease_id, fence } = (allocation ?? {}) as Record<string, unknown>;
    await caller.ask('account.release', { account_id, lease_id, fence, service_name: 'bench', usage_stats });
    done += 1;
  }
  return done;
}

if (!values.filled) {
  const startedAt = performance.now();
  await fill();
  await query(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint)
     SELECT gen_random_uuid(), $1, '+1' || (200000000 + n), '\\x00', $2, 'working ' || n FROM generate_series(1, 200) n`,
    [WORKING_USER, keyId],
  );
  console.log(`filled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}
const service = await startService({ LOG_LEVEL: 'error', JOBS_ENABLED: 'false' });
const caller = await connectCaller(process.env.RABBITMQ_URL ?? 'amqp://localhost');
const chosen = Object.entries(VIEWS).filter(([name]) => name.includes(values.views));
for (const [, view] of chosen) await caller.ask(...view());

const alone = new Map<string, Awaited<ReturnType<typeof measure>>>();
for (const [name, view] of chosen) alone.set(name, await measure(caller, view));
const stop = new AbortController();
const besideAt = performance.now();
const working = Promise.all(Array.from({ length: callers }, () => work(caller, stop.signal)));
console.log('| view | alone p50 | p99 | beside traffic p50 | p99 |\n|---|---|---|---|---|');
for (const [name, view] of chosen) {
  const beside = await measure(caller, view);
  const quiet = alone.get(name);
  const told = [quiet?.p50, quiet?.p99, beside.p50, beside.p99].map((ms) => (ms ?? 0).toFixed(1));
  console.log(`| ${name} | ${told.join(' | ')} |${quiet?.fault ?? ''}${beside.fault}`);
}
stop.abort();
const cycles = (await working).reduce((sum, done) => sum + done, 0);
const seconds = (performance.now() - besideAt) / 1000;
console.log(
  `milliseconds; ${accounts} accounts, ${pages} pages of each; traffic: ${(cycles / seconds).toFixed(0)} allocations and releases/s`,
);

await caller.close();
await service.stop();
await pool.end();
