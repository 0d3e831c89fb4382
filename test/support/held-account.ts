import type { ReplyBody } from '../../contracts/operations.js';
import type { OperationsHarness } from './operations.js';

let nextUser = 1;
/** A user id that no other test of the file has. */
export const newUser = (): number => nextUser++;

/** The holder of an account, as requests say it. */
export type Holder = {
  account_id: string;
  service_name: string;
  lease_id: string;
  fence: number;
};

/** Registers one account for a new user and leases it to `invite-service`, or as the wish says. */
export async function holdAccount(
  harness: OperationsHarness,
  wish: Record<string, unknown> = {},
): Promise<{
  user: number;
  accountId: string;
  holder: Holder;
  allocation: ReplyBody<'account.allocate'>['allocation'];
}> {
  const user = newUser();
  await harness.registerAccounts(user, 1);
  const { allocation } = await harness.succeed('account.allocate', {
    user_id: user,
    purpose: 'general',
    service_name: 'invite-service',
    ...wish,
  });
  const { account_id, allocated_by: service_name, lease_id, fence } = allocation;
  return { user, accountId: account_id, holder: { account_id, service_name, lease_id, fence }, allocation };
}

/** Everything the database holds of an account, to be compared before and after. */
export async function rowsOf(harness: OperationsHarness, accountId: string): Promise<Record<string, unknown[]>> {
  const tables = {
    telegram_sessions: 'id',
    leases: 'account_id',
    usage_windows: 'account_id',
    channel_usage: 'account_id',
    counted_actions: 'account_id',
    events: 'account_id',
  };
  const rows: Record<string, unknown[]> = {};
  for (const [table, column] of Object.entries(tables)) {
    rows[table] = await harness.query(
      `SELECT to_jsonb(t) - 'xmin' AS row FROM ${table} t WHERE ${column} = $1 ORDER BY to_jsonb(t)::text`,
      [accountId],
    );
  }
  return rows;
}

/** An account's events in order of their sequence. */
export const eventsOf = (
  harness: OperationsHarness,
  accountId: string,
): Promise<{ type: string; sequence: number; data: Record<string, unknown> }[]> =>
  harness.query('SELECT type, sequence::int, data FROM events WHERE account_id = $1 ORDER BY sequence', [accountId]);

/** Moves an account's lease so that it ended a second ago; locks the account first, as the service does. */
export async function letLeaseEnd(harness: OperationsHarness, accountId: string): Promise<void> {
  await harness.query(
    `WITH account AS (SELECT id FROM telegram_sessions WHERE id = $1 FOR UPDATE)
     UPDATE leases SET allocated_at = now() - interval '1 hour', expires_at = now() - interval '1 second'
     FROM account WHERE account_id = account.id AND ended_at IS NULL`,
    [accountId],
  );
  await harness.query(
    `UPDATE telegram_sessions SET locked_until = now() - interval '1 second' WHERE id = $1 AND locked`,
    [accountId],
  );
}

/** Sets what an account has done back by `by` (a PostgreSQL interval), as if that much time had passed. */
export async function letUsageAge(harness: OperationsHarness, accountId: string, by: string): Promise<void> {
  await harness.query(
    `UPDATE usage_windows SET last_action_at = last_action_at - $2::interval,
       recent = ARRAY(SELECT at - $2::interval FROM unnest(recent) WITH ORDINALITY AS r(at, n) ORDER BY n),
       day = (day::timestamptz - $2::interval)::date WHERE account_id = $1`,
    [accountId, by],
  );
  await harness.query('UPDATE channel_usage SET day = (day::timestamptz - $2::interval)::date WHERE account_id = $1', [
    accountId,
    by,
  ]);
  await harness.query(
    `UPDATE telegram_sessions SET usage_date = (usage_date::timestamptz - $2::interval)::date,
       usage_version = usage_version + 1 WHERE id = $1`,
    [accountId, by],
  );
}
