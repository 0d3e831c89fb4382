import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { connectRpc } from '../support/rpc.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';
import { startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';

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
const SERVED = 200;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
const database = {
  query: async <T extends pg.QueryResultRow>(sql: string, given: unknown[] = []) =>
    (await pool.query<T>(sql, given)).rows,
};
const service = await startService({ LOG_LEVEL: 'warn' });
const client = await connectRpc(process.env.RABBITMQ_URL ?? 'amqp://localhost');

const percentiles = (lengths: number[]): string => {
  const sorted = lengths.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  p99.9 ${at(0.999)}  max ${at(1)} ms`;
};

/** Allocates and releases at a steady rate, whether or not the answers keep up; answers each request's length. */
async function serve(forSeconds: number): Promise<number[]> {
  const lengths: number[] = [];
  const timed = async (operation: 'account.allocate' | 'account.release', body: unknown) => {
    const from = performance.now();
    const reply = await client.call(operation, body);
    lengths.push(performance.now() - from);
    return reply;
  };
  const cycle = async () => {
    const granted = await timed('account.allocate', { user_id: USER, purpose: 'general', service_name: 'bench' });
    if (!granted.success) return;
    const { account_id, lease_id, fence } = granted.allocation as Record<string, unknown>;
    const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
    await timed('account.release', { account_id, lease_id, fence, service_name: 'bench', usage_stats });
  };
  const cycles: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let begun = 0; ; ) {
    const elapsed = (performance.now() - startedAt) / 1000;
    if (elapsed >= forSeconds) break;
    // Two requests make a cycle.
    for (; begun < (elapsed * rate) / 2; begun++) cycles.push(cycle());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(cycles);
  return lengths;
}

async function registerServed(): Promise<void> {
  const accounts = Array.from({ length: SERVED }, (_, index) => ({
    user_id: USER,
    phone: `+${USER}${String(index).padStart(6, '0')}`,
    session_data: telethonSession(),
  }));
  const reply = await client.call('admin.register', { accounts });
  if (!reply.success) throw new Error(JSON.stringify(reply));
}

await registerServed();
const waiting = await seedAccounts(database, USER + 1, due);
await serve(5);
console.log(`without recoveries, ${rate} requests/s   ${percentiles(await serve(Math.min(seconds, 20)))}`);

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
const lengths = await serve(seconds + 5);
console.log(`with ${due} recoveries${values.burst ? ' at once' : ` over ${seconds} s`}      ${percentiles(lengths)}`);

const lags = await database.query<{ lag: number; published: number }>(
  `SELECT (extract(epoch FROM e.occurred_at - b.until) * 1000)::float8 AS lag,
     (extract(epoch FROM e.published_at - b.until) * 1000)::float8 AS published
   FROM bench_ends b JOIN events e ON e.account_id = b.id AND e.type = 'account.recovered'`,
);
console.log(`recovered ${lags.length} of ${due}; from the end of the wait`);
console.log(`  to the event in the outbox      ${percentiles(lags.map(({ lag }) => lag))}`);
console.log(`  to the event on the bus         ${percentiles(lags.map(({ published }) => published))}`);

await database.query('DROP TABLE bench_ends');
await client.close();
await service.stop();
await pool.end();
