import type { ActionType } from '../../../contracts/fields.js';
import type { ChannelUsage, UsageWindow } from '../../decide/limits/usage-window.js';
import { type ChannelRow, toChannels, toWindows, type WindowRow } from './account-record.js';
import type { Sql } from '../database.js';

/** The usage windows of accounts, by account and action. */
export async function loadWindows(
  sql: Sql,
  accountIds: readonly string[],
): Promise<Map<string, Map<ActionType, UsageWindow>>> {
  if (accountIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<{ account_id: string; windows: WindowRow[] }[]>`
    SELECT w.account_id::text, jsonb_agg(to_jsonb(w)) AS windows
    FROM usage_windows w WHERE w.account_id = ANY(${accountIds}::uuid[]) GROUP BY w.account_id`;
  return new Map(rows.map((row) => [row.account_id, toWindows(row.windows)]));
}

type ChannelsByAccount = Map<string, Map<string, ChannelUsage>>;

/** Counters of the channels named, by account and `channelKey`; no other channel of the accounts is looked at. */
export async function loadNamedChannels(
  sql: Sql,
  named: readonly { accountId: string; channel: string }[],
): Promise<ChannelsByAccount> {
  if (named.length === 0) return new Map();
  const accountIds = named.map(({ accountId }) => accountId);
  const channels = named.map(({ channel }) => channel);
  return byAccount(
    await sql.$queryRaw<ChannelsRow[]>`
      SELECT u.account_id::text, jsonb_agg(to_jsonb(u)) AS channels
      FROM (SELECT DISTINCT * FROM unnest(${accountIds}::uuid[], ${channels}::text[]) AS n(account_id, channel)) AS named
      JOIN channel_usage u ON u.account_id = named.account_id AND u.channel = named.channel
      GROUP BY u.account_id`,
  );
}

/** How many channels of one account are told at most; those used last first. */
const MAX_CHANNELS = 1000;

/** As `loadNamedChannels`, of all channels that may be told. */
export async function loadEveryChannel(sql: Sql, accountIds: readonly string[]): Promise<ChannelsByAccount> {
  if (accountIds.length === 0) return new Map();
  return byAccount(
    await sql.$queryRaw<ChannelsRow[]>`
      SELECT a.id::text AS account_id, (
        SELECT jsonb_agg(to_jsonb(c)) FROM (
          SELECT * FROM channel_usage u WHERE u.account_id = a.id
          ORDER BY u.day DESC NULLS LAST, u.channel LIMIT ${MAX_CHANNELS}) c) AS channels
      FROM unnest(${accountIds}::uuid[]) AS a(id)`,
  );
}

interface ChannelsRow {
  account_id: string;
  channels: ChannelRow[] | null;
}

const byAccount = (rows: readonly ChannelsRow[]): ChannelsByAccount =>
  new Map(rows.map((row) => [row.account_id, toChannels(row.channels)]));
