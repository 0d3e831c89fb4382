import { parseArgs } from 'node:util';
import pg from 'pg';
import { seedAccounts } from '../support/seed-accounts.js';
import { startService } from '../support/service.js';
import { percentiles } from '../support/steady-load.js';
import { type Caller, connectCaller } from './caller.js';
import { AS_SERVICE } from './works.js';

/**
 * One user with very many accounts beside one with few: what the few cost alone, and while the many are asked for
 * something that all have, that half have, and that none has, for each of the reasons why. Servers come from the
 * environment, fresh ones.
 */
const { values } = parseArgs({
  options: { accounts: { type: 'string', default: '100000' }, seconds: { type: 'string', default: '5' } },
});
const [accounts, seconds] = [Number(values.accounts), Number(values.seconds)];
const [MANY, FEW] = [800_000, 800_001];
const NEIGHBOURS = 4;
const ASKING = 8;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1, options: AS_SERVICE });
const query = async <T extends pg.QueryResultRow>(sql: string, given: unknown[] = []) =>
  (await pool.query<T>(sql, given)).rows;

const wish = { purpose: 'invite_campaign', service_name: 'bench', include_session: false };
type Lease = { account_id: string; lease_id: string; fence: number };

/** Fields of a request for an account beside those of all. */
type Asked = () => object;
const ANY: Asked = () => ({});

/** Asks for an account, and gives it back where it gets one; answers the code of a refusal. */
async function cycle(caller: Caller, userId: number, asked: Asked): Promise<string> {
  const { success, error, allocation } = await caller.ask('account.allocate', { ...wish, ...asked(), user_id: userId });
  if (success !== true) return (error as { code: string }).code;
  const { account_id, lease_id, fence } = allocation as Lease;
  const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
  await caller.ask('account.release', { account_id, lease_id, fence, service_name: 'bench', usage_stats });
  return 'granted';
}

/** Keeps so many going for the time given; answers how long each took, and what it was answered. */
async function keepGoing(caller: Caller, userId: number, atOnce: number, asked: Asked = ANY) {
  const lengths: number[] = [];
  const codes = new Set<string>();
  const endAt = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < endAt) {
        const from = performance.now();
        codes.add(await cycle(caller, userId, asked));
        lengths.push(performance.now() - from);
      }
    }),
  );
  return { lengths, codes: [...codes].sort().join(', ') };
}

async function compare(caller: Caller, what: string, asked: Asked = ANY): Promise<void> {
  // In service the accounts come to stand like this over hours, and autovacuum follows.
  await query('VACUUM ANALYZE');
  const from = performance.now();
  const [first, during] = await Promise.all([
    cycle(caller, MANY, asked).then((code) => `${code} after ${(performance.now() - from).toFixed(0)} ms`),
    keepGoing(caller, FEW, NEIGHBOURS),
  ]);
  const [many, few] = await Promise.all([keepGoing(caller, MANY, ASKING, asked), keepGoing(caller, FEW, NEIGHBOURS)]);
  console.log(`${accounts} accounts, ${what}: the first ${first}`);
  console.log(`  neighbours meanwhile      ${percentiles(during.lengths)}`);
  console.log(`  then (${many.codes})`.padEnd(28) + percentiles(many.lengths));
  console.log(`  neighbours beside         ${percentiles(few.lengths)}`);
}

await seedAccounts({ query }, FEW, 100);
const ids = await seedAccounts({ query }, MANY, accounts);
const service = await startService({ LOG_LEVEL: 'error', JOBS_ENABLED: 'false' });
const caller = await connectCaller(process.env.RABBITMQ_URL ?? 'amqp://localhost');
await keepGoing(caller, FEW, NEIGHBOURS);
console.log(`neighbours alone            ${percentiles((await keepGoing(caller, FEW, NEIGHBOURS)).lengths)}`);
await compare(caller, 'all free');

const lease = (some: string[]) =>
  query(
    `UPDATE telegram_sessions SET locked = true, locked_by = 'bench', locked_until = now() + interval '1 hour', lease_id = id
     WHERE id = ANY($1::uuid[])`,
    [some],
  );
await lease(ids.slice(0, accounts / 2));
await compare(caller, 'half leased');
await lease(ids.slice(accounts / 2));
await compare(caller, 'all leased');

await query(
  `UPDATE telegram_sessions SET locked = false, locked_by = NULL, locked_until = NULL, lease_id = NULL,
     status = 'flood_wait', flood_wait_until = now() + interval '1 hour' WHERE user_id = $1`,
  [MANY],
);
await compare(caller, 'all in flood wait');

await query(
  `UPDATE telegram_sessions SET status = 'active', flood_wait_until = NULL, last_used_at = now() - interval '1 day'
   WHERE user_id = $1`,
  [MANY],
);
await query(
  `INSERT INTO usage_windows (account_id, action_type, day, day_count)
   SELECT id, 'invite', CURRENT_DATE, 30 FROM unnest($1::uuid[]) AS given(id)`,
  [ids],
);
await compare(caller, 'none with room');
await compare(caller, 'none with room, one of them required', () => ({ preferred_account_id: ids[0] }));
let channels = 0;
await compare(caller, 'none with room, each time in another channel', () => ({ target_channel_id: `c${channels++}` }));

await caller.close();
await service.stop();
await pool.end();
