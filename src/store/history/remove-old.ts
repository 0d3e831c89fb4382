import type { ActionType } from '../../../contracts/fields.js';
import type { Sql } from '../database.js';

/**
 * Removes rows that have been kept long enough, the oldest first, `limit` at most, and tells how many: repeat until
 * none is left. `before`: an instant of the database's clock.
 */
export type RemoveOld = (sql: Sql, before: number, limit: number) => Promise<number>;

export const removeAnsweredRequests: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM answered_requests WHERE (caller, message_id) IN (
    SELECT caller, message_id FROM answered_requests WHERE answered_at < ${new Date(before)}
    ORDER BY answered_at LIMIT ${limit}::integer)`;

/** Lets the transaction remove history that is older than a day; without it the database refuses. */
export async function allowRemoval(sql: Sql): Promise<void> {
  await sql.$executeRaw`SELECT set_config('account_manager.removal', 'on', true)`;
}

/** Published ones. Ids rise with time, so the oldest are first; where they wait to be published, all stay. */
export const removeEvents: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM events WHERE occurred_at < ${new Date(before)} AND NOT EXISTS (SELECT FROM outbox o WHERE o.id = events.id)
    AND id IN (SELECT id FROM events ORDER BY id LIMIT ${limit}::integer)`;

/** Not those of an open lease: its release is reconciled against them. */
export const removeCountedActions: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM counted_actions WHERE id IN (
    SELECT a.id FROM counted_actions a WHERE a.counted_at < ${new Date(before)}
      AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.id = a.lease_id AND l.ended_at IS NULL)
    ORDER BY a.counted_at LIMIT ${limit}::integer)`;

export const removeErrorReports: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM error_reports WHERE id IN (
    SELECT id FROM error_reports WHERE reported_at < ${new Date(before)} ORDER BY reported_at LIMIT ${limit}::integer)`;

export const removeEndedLeases: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM leases WHERE id IN (
    SELECT id FROM leases WHERE allocated_at < ${new Date(before)} AND ended_at < ${new Date(before)}
    ORDER BY allocated_at LIMIT ${limit}::integer)`;

/** The last run of each job stays, and the last that was done: they tell what has been missed. */
export const removeJobRuns: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM job_runs WHERE (job, scheduled_for) IN (
    SELECT r.job, r.scheduled_for FROM job_runs r
    WHERE r.finished_at < ${new Date(before)} AND EXISTS (
      SELECT 1 FROM job_runs later
      WHERE later.job = r.job AND later.scheduled_for > r.scheduled_for AND later.outcome IN ('done', 'skipped'))
    ORDER BY r.scheduled_for LIMIT ${limit}::integer)`;

export const removeReports: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM reports WHERE id IN (
    SELECT id FROM reports WHERE generated_at < ${new Date(before)} ORDER BY generated_at LIMIT ${limit}::integer)`;

export const removeResolvedAlerts: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM alerts WHERE id IN (
    SELECT id FROM alerts WHERE resolved_at < ${new Date(before)} LIMIT ${limit}::integer)`;

export const removeArchivedUsage: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  DELETE FROM usage_archive WHERE (day, account_id, action_type) IN (
    SELECT day, account_id, action_type FROM usage_archive WHERE day < ${new Date(before)}::date
    ORDER BY day LIMIT ${limit}::integer)`;

/** Counters in channels of actions last done before. Not of invites, whose totals are limited, whoever asks for it. */
export const removeChannelUsage =
  (actionTypes: readonly ActionType[]): RemoveOld =>
  (sql, before, limit) =>
    sql.$executeRaw`
  DELETE FROM channel_usage WHERE day < ${new Date(before)}::date AND (account_id, channel, action_type) IN (
    SELECT account_id, channel, action_type FROM channel_usage
    WHERE action_type <> 'invite' AND action_type = ANY(${actionTypes}::text[]) AND day < ${new Date(before)}::date
    ORDER BY day LIMIT ${limit}::integer)`;

/**
 * Windows of accounts that will not act again, once every limit in them is over and the archive has come to their last
 * day, which is made sure of here. The totals of channels stay with the account.
 */
export const retireWindows: RemoveOld = (sql, before, limit) => sql.$executeRaw`
  WITH retired AS (
    DELETE FROM usage_windows WHERE (account_id, action_type) IN (
      SELECT w.account_id, w.action_type FROM telegram_sessions s JOIN usage_windows w ON w.account_id = s.id
      WHERE s.status = 'disabled' AND s.disabled_reason IN ('banned', 'deactivated')
        AND w.last_action_at < ${new Date(before)} AND w.day < ${new Date(before)}::date
        AND w.day <= (SELECT max(day) FROM usage_archive)
      LIMIT ${limit}::integer)
    RETURNING *), archived AS (
    INSERT INTO usage_archive (day, account_id, action_type, quantity)
    SELECT day, account_id, action_type, day_count FROM retired WHERE day IS NOT NULL AND day_count > 0
    ON CONFLICT DO NOTHING)
  SELECT 1 FROM retired`;
