import type { ActionType } from '../../../contracts/fields.js';
import type { ChannelUsage, UsageWindow } from '../../decide/limits/usage-window.js';
import { type ChannelRow, toChannels, toWindows, type WindowRow } from './account-record.js';
import type { Sql } from '../database.js';

/** The usage windows of accounts, by account and action. */
export async function loadWindows(
  sql: Sql,
  accountIds: readonly string[],
): Promise<Map<string, Map<ActionType, UsageWindow>>> {
  const byAccount = new Map<string, Map<ActionType, UsageWindow>>();
  if (accountIds.length === 0) return byAccount;
  const rows = await sql.$queryRaw<{ account_id: string; windows: WindowRow[] }[]>`
    SELECT w.account_id::text, jsonb_agg(to_jsonb(w)) AS windows
    FROM usage_windows w WHERE w.account_id = ANY(${accountIds}::uuid[]) GROUP BY w.account_id`;
  for (const row of rows) byAccount.set(row.account_id, toWindows(row.windows));
  return byAccount;
}

/** How many channels of one account are told at most; those used last first. */
const MAX_CHANNELS = 1000;

/** Counters by channel, by `channelKey`: of the channels named, or (null) of all. */
export async function loadChannelUsage(
  sql: Sql,
  accountIds: readonly string[],
  channels: readonly string[] | null,
): Promise<Map<string, Map<string, ChannelUsage>>> {
  const byAccount = new Map<string, Map<string, ChannelUsage>>();
  if (accountIds.length === 0) return byAccount;
  const rows = await sql.$queryRaw<{ account_id: string; channels: ChannelRow[] | null }[]>`
    SELECT a.id::text AS account_id, (
      SELECT jsonb_agg(to_jsonb(c)) FROM (
        SELECT * FROM channel_usage u WHERE u.account_id = a.id
          AND (${channels === null} OR u.channel = ANY(${channels ?? []}::text[]))
        ORDER BY u.day DESC, u.channel LIMIT ${MAX_CHANNELS}) c) AS channels
    FROM unnest(${accountIds}::uuid[]) AS a(id)`;
  for (const row of rows) byAccount.set(row.account_id, toChannels(row.channels));
  return byAccount;
}
