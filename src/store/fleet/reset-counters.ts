import type { Sql } from '../database.js';

/** A page of accounts in the order of their ids, and what is done with them. */
export interface CounterPage {
  /** The day that begins; counters of it stay. */
  day: string;
  afterId: string;
  limit: number;
}

/**
 * Clears the predecessor's counters of the day on accounts that still have them of an earlier one. Limits are judged by
 * dated counters, so nothing depends on it. Answers the ids looked at and how many accounts were reset.
 */
export async function resetCounters(
  sql: Sql,
  { day, afterId, limit }: CounterPage,
): Promise<{ lastId: string | null; accounts: number; reset: number }> {
  const [row] = await sql.$queryRaw<{ last_id: string | null; accounts: number; reset: number }[]>`
    WITH page AS MATERIALIZED (
      SELECT id FROM telegram_sessions WHERE id > ${afterId}::uuid
      ORDER BY id LIMIT ${limit}::integer
    ), due AS MATERIALIZED (
      SELECT id FROM telegram_sessions WHERE id IN (SELECT id FROM page)
        AND (last_limit_reset IS NULL OR last_limit_reset < ${day}::date) ORDER BY id FOR UPDATE
    ), cleared AS (
      UPDATE telegram_sessions s SET
        used_invites_today = CASE WHEN s.usage_date >= ${day}::date THEN s.used_invites_today ELSE 0 END,
        used_messages_today = CASE WHEN s.usage_date >= ${day}::date THEN s.used_messages_today ELSE 0 END,
        contacts_today = CASE WHEN s.usage_date >= ${day}::date THEN s.contacts_today ELSE 0 END,
        per_channel_invites = CASE WHEN s.usage_date >= ${day}::date THEN s.per_channel_invites ELSE '{}' END,
        usage_date = GREATEST(s.usage_date, ${day}::date),
        last_limit_reset = ${day}::date
      FROM due WHERE s.id = due.id RETURNING 1)
    SELECT (SELECT id::text FROM page ORDER BY id DESC LIMIT 1) AS last_id,
      (SELECT count(*)::integer FROM page) AS accounts, (SELECT count(*)::integer FROM cleared) AS reset`;
  return { lastId: row?.last_id ?? null, accounts: row?.accounts ?? 0, reset: row?.reset ?? 0 };
}
