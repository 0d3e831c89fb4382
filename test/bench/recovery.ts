import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { letWait, seedAccounts } from '../support/seed-accounts.js';
import { startService } from '../support/service.js';
import { percentiles, startSteadyLoad } from '../support/steady-load.js';

/**
 * Many accounts recover within a minute while requests are served at a steady rate: how late they recover, and what
 * that does to the requests, beside a time without recoveries in the same run. Servers come from the environment.
 */
const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '200' },
    /** All in one instant, halfway, in place of evenly over the time. */
    burst: { type: 'boolean', default: false },
  },
});
const [due, seconds, rate] = [values.accounts, values.seconds, values.rate].map(Number) as [number, number, number];
const USER = 800_000 + Math.floor(Math.random() * 90_000);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
const database = {
  query: async <T extends pg.QueryResultRow>(sql: string, given: unknown[] = []) =>
    (await pool.query<T>(sql, given)).rows,
};
const service = await startService({ LOG_LEVEL: 'warn' });
const load = await startSteadyLoad({ userId: USER, rate });

const waiting = await seedAccounts(database, USER + 1, due);
await load.serve(5);
console.log(`without recoveries, ${rate} requests/s   ${percentiles(await load.serve(Math.min(seconds, 20)))}`);

await letWait(
  database,
  waiting,
  values.burst ? { fromMs: seconds * 500 } : { fromMs: 2_000, toMs: 2_000 + seconds * 1000 },
);
await database.query(
  `CREATE TABLE IF NOT EXISTS bench_ends AS SELECT id, flood_wait_until AS until FROM telegram_sessions WHERE false;
   TRUNCATE bench_ends; INSERT INTO bench_ends SELECT id, flood_wait_until FROM telegram_sessions WHERE status = 'flood_wait'`,
);
// They were begun behind the service's back: its queue is to be filled anew.
const redisUrl = new URL(process.env.REDIS_URL ?? 'redis://localhost');
const queue = new Redis(new URL('/', redisUrl).href, { db: Number(redisUrl.pathname.slice(1) || '0') + 2 });
await queue.flushdb();
queue.disconnect();
const lengths = await load.serve(seconds + 5);
console.log(`with ${due} recoveries${values.burst ? ' at once' : ` over ${seconds} s`}      ${percentiles(lengths)}`);

const lags = await database.query<{ lag: number }>(
  `SELECT (extract(epoch FROM e.occurred_at - b.until) * 1000)::float8 AS lag
   FROM bench_ends b JOIN events e ON e.account_id = b.id AND e.type = 'account.recovered'`,
);
console.log(`recovered ${lags.length} of ${due}; from the end of the wait to the event in the outbox`);
console.log(`  ${percentiles(lags.map(({ lag }) => lag))}`);

await database.query('DROP TABLE bench_ends');
await load.close();
await service.stop();
await pool.end();
