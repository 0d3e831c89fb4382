import type { AccountManager, AdminRunJobReply, QueryReportReply } from '@account-manager/client';
import type pg from 'pg';
import type { Counts } from './history.js';

export type Report = NonNullable<QueryReportReply['report']>;

const REASON = 'shown in the demo';

/** Runs a background job now, as an operator does. */
export async function runJob(manager: AccountManager, job: AdminRunJobReply['job']): Promise<AdminRunJobReply> {
  const run = await manager.call('admin.run-job', { job });
  if (run.state !== 'done') throw new Error(`${job} is ${run.state}: ${run.failure ?? 'it has not ended yet'}`);
  return run;
}

/** Lets the present waits of accounts end at an instant. */
export async function endWaitsAt(manager: AccountManager, accountIds: readonly string[], at: number) {
  const decision = { recovery_time: new Date(at).toISOString(), reason: REASON };
  for (const account_id of accountIds) await manager.call('admin.schedule-recovery', { account_id, ...decision });
}

/** The latest report, as it is read over the bus and over HTTP. */
export async function readReport(manager: AccountManager, serviceUrl: string) {
  const { report: bus } = await manager.call('query.report', {});
  const answer = await fetch(`${serviceUrl}/api/v1/account-manager/report`);
  const { report: http } = (await answer.json()) as { report?: Report | null };
  return { bus, http };
}

/** Until when and how gently an account is used after a block; null: as ever. */
export async function readReentry(manager: AccountManager, account_id: string) {
  return (await manager.call('query.limits', { account_id })).status.reentry ?? null;
}

/** How much of today's limits is used, as the account manager tells it, over all users. */
export async function readUsedToday(manager: AccountManager, database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ user_id: string }>('SELECT DISTINCT user_id FROM telegram_sessions');
  let used = 0;
  for (const { user_id } of rows) {
    const { accounts } = await manager.call('query.accounts', { user_id: Number(user_id), limit: 500 });
    for (const { used_today } of accounts) for (const times of Object.values(used_today)) used += times;
  }
  return used;
}

/**
 * Lets a midnight pass: moves everything that was counted to the day before, as if the run had been then. The clock that
 * decides is the database's, and cannot be moved itself. History
 * refuses to be rewritten; the owner of its table takes that guard away meanwhile.
 */
export async function letMidnightPass(database: pg.Client): Promise<void> {
  await database.query(`
    BEGIN;
    ALTER TABLE counted_actions DISABLE TRIGGER USER;
    UPDATE counted_actions SET counted_at = counted_at - interval '1 day', settled_at = settled_at - interval '1 day';
    ALTER TABLE counted_actions ENABLE TRIGGER USER;
    UPDATE usage_windows SET day = day - 1, last_action_at = last_action_at - interval '1 day',
      recent = ARRAY(SELECT at - interval '1 day' FROM unnest(recent) WITH ORDINALITY AS r(at, n) ORDER BY n);
    UPDATE channel_usage SET day = day - 1;
    UPDATE usage_archive SET day = day - 1;
    UPDATE telegram_sessions SET usage_date = usage_date - 1, last_limit_reset = last_limit_reset - interval '1 day',
      usage_version = usage_version + 1;
    COMMIT`);
}

/** The archived usage by account and action, `<account> <action>`. */
export async function loadArchive(database: pg.Client): Promise<Counts> {
  const { rows } = await database.query<{ name: string; times: number }>(
    `SELECT concat(account_id, ' ', action_type) AS name, sum(quantity)::integer AS times FROM usage_archive GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ name, times }) => [name, times]));
}

/** Sums of the counters of the day, and of the channels' counters, which count for ever. */
export async function loadCounters(database: pg.Client): Promise<{ ofTheDay: number; forEver: number }> {
  const { rows } = await database.query<{ of_the_day: number; for_ever: number }>(
    `SELECT (SELECT sum(used_invites_today + used_messages_today + contacts_today)::integer FROM telegram_sessions) AS of_the_day,
       (SELECT COALESCE(sum(total), 0)::integer FROM channel_usage) AS for_ever`,
  );
  return { ofTheDay: rows[0]?.of_the_day ?? 0, forEver: rows[0]?.for_ever ?? 0 };
}
