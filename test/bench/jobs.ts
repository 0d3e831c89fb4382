import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { JOB_NAMES } from '../../contracts/jobs.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';
import { askHttp, startService } from '../support/service.js';
import { percentiles, startSteadyLoad } from '../support/steady-load.js';
import { AS_SERVICE } from './works.js';

/**
 * Every job on a large fleet with its history, while requests are served at a steady rate: how long each takes, and
 * what it does to the requests, beside a time without jobs in the same run; then the queue of recoveries is lost.
 * Servers come from the environment, fresh ones.
 */
const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '200' },
  },
});
const [fleet, rate] = [values.accounts, values.rate].map(Number) as [number, number];
const USER = 700_000;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2, options: AS_SERVICE });
const database = {
  query: async <T extends pg.QueryResultRow>(sql: string, given: unknown[] = []) =>
    (await pool.query<T>(sql, given)).rows,
};

/** A fleet as it is a minute past midnight: a twentieth waits, some are done for, and yesterday was busy. */
async function growFleet(): Promise<void> {
  const ids = await seedAccounts(database, USER, fleet);
  await letWait(database, ids.slice(0, fleet / 20), { fromMs: -60_000, toMs: 86_400_000 });
  await database.query(
    `UPDATE telegram_sessions SET user_id = $1 + abs(hashtext(phone)) % 500, error_count = abs(hashtext(phone)) % 7,
       used_invites_today = 9, usage_date = current_date - 1, last_limit_reset = current_date - 1,
       session_metadata = jsonb_build_object('proxy', 'socks5://10.0.0.' || abs(hashtext(phone)) % 250 || ':1080')
     WHERE phone LIKE '+seed%'`,
    [USER],
  );
  await database.query(`
    CREATE TEMPORARY TABLE acted AS
      SELECT id, action FROM telegram_sessions, unnest(ARRAY['invite', 'message', 'parse']) AS a(action) WHERE phone LIKE '+seed%';
    INSERT INTO usage_windows (account_id, action_type, day, day_count, last_action_at)
      SELECT id, action, current_date - 1, 9, current_date - interval '1 hour' FROM acted;
    INSERT INTO counted_actions (id, account_id, service_name, action_type, quantity, counted_at, settled_at, success)
      SELECT gen_random_uuid(), id, 'bench', action, 9, current_date - interval '1 hour', now(), true FROM acted;
    INSERT INTO events (event_id, type, account_id, sequence, data, occurred_at)
      SELECT gen_random_uuid(), 'account.flood_wait', id, 1, '{"error_class": "flood_wait"}', now() - interval '31 days'
      FROM telegram_sessions WHERE phone LIKE '+seed%';
    TRUNCATE outbox;
    UPDATE telegram_sessions SET event_sequence = 1 WHERE phone LIKE '+seed%'`);
  await database.query('VACUUM ANALYZE');
}

await growFleet();
const service = await startService({ LOG_LEVEL: 'warn' });
const load = await startSteadyLoad({ userId: USER + 1_000, rate });
await load.serve(5);
const tell = (what: string, lengths: number[]) => console.log(`${what.padEnd(34)} ${percentiles(lengths)}`);
tell(`without jobs, ${rate} requests/s`, await load.serve(20));

for (const job of JOB_NAMES) {
  const from = performance.now();
  const url = `${service.httpUrl}/api/v1/account-manager/maintenance/${job}`;
  const run = askHttp(url, { method: 'POST' }).then(({ text }) => ({ text, ms: performance.now() - from }));
  const lengths = await load.serveDuring(run);
  const { text, ms } = await run;
  const { state, counts } = JSON.parse(text) as { state: string; counts: Record<string, number> };
  tell(`${job}: ${state}, ${(ms / 1000).toFixed(1)} s`, lengths);
  const did = Object.entries(counts).flatMap(([name, quantity]) => (quantity > 0 ? [`${name} ${quantity}`] : []));
  if (did.length > 0) console.log(`  ${did.join(', ')}`);
}

const ids = await database.query<{ id: string }>(
  `SELECT id::text FROM telegram_sessions WHERE phone LIKE '+seed%' AND status = 'active'`,
);
await letWait(
  database,
  ids.map(({ id }) => id),
  { fromMs: 3_600_000, toMs: 86_400_000 },
);
const redisUrl = new URL(process.env.REDIS_URL ?? 'redis://localhost');
const queue = new Redis(new URL('/', redisUrl).href, { db: Number(redisUrl.pathname.slice(1) || '0') + 2 });
await queue.flushdb();
tell('the recovery queue lost', await load.serve(10));
console.log(
  `  rebuilt with ${await queue.zcount('account_recovery_queue', '-inf', Date.now() + 172_800_000)} accounts`,
);
queue.disconnect();

await load.close();
await service.stop();
await pool.end();
