import { Prisma } from '../../../generated/prisma/client.js';
import { type AccountRecord, type AccountRow, toAccountRecord } from './account-record.js';
import type { Sql, SqlPart } from '../database.js';
import type { Connection } from '../sessions/load-sessions.js';
import { CANDIDATES_SETTING } from './claim-candidates.js';

export interface AccountsWanted {
  accountIds: readonly string[];
  /** The channels whose counters are wanted, beside the leases' own. */
  channels: readonly string[];
  /** Accounts whose sessions are wanted too. */
  sessionsOf?: readonly string[];
  /** Loads what `lockCandidates` has locked in this transaction too, with sessions. */
  candidates?: boolean;
}

export interface LoadedAccounts {
  now: number;
  accounts: Map<string, AccountRecord>;
  /** Those wanted, by account. */
  connections: Map<string, Connection>;
}

/**
 * Up to so many counters of an account are read as they come: looking up each name of the batch would take longer. If the
 * account has more, only those that are named are read; 100,000 took 40 ms of every batch.
 */
const FEW_CHANNELS = 100;

/** The database's clock, and an account's row with its lease (`l`) and its windows. */
export const RECORD = Prisma.sql`date_trunc('milliseconds', clock_timestamp()) AS now, s.id::text, s.xmin::text AS version,
      s.user_id, s.phone, s.status::text, s.disabled_reason, s.flood_wait_until, s.blocked_until, s.block_level,
      s.last_block_ended_at, s.error_count, s.error_ends, s.fence, s.usage_version, s.usage_date::text AS usage_day,
      s.per_channel_invites, s.last_used_at, s.event_sequence, s.lease_id::text, l.service_name, l.caller, l.purpose,
      l.target_channel, l.fence AS lease_fence, l.lock_value, l.allocated_at, l.expires_at,
      (SELECT jsonb_agg(to_jsonb(w)) FROM usage_windows w WHERE w.account_id = s.id) AS windows`;

/** Counters of an account (`s`) in the channels named and in that of its lease (`l`), each looked up by its name. */
export const namedChannels = (channels: readonly string[]): SqlPart => Prisma.sql`
        SELECT jsonb_agg(to_jsonb(c)) FROM unnest(array_append(${channels}::text[], l.target_channel)) AS n(channel),
          LATERAL (SELECT * FROM channel_usage u WHERE u.account_id = s.id AND u.channel = n.channel OFFSET 0) c`;

/**
 * Loads accounts with their open lease, their usage windows and the counters of the channels named (and of the lease's
 * own), and the database's clock. Under the accounts' locks the clock is read after the locks were had, so that on one
 * account time never runs backwards; and the locks are taken by a statement before this one, since a statement sees of
 * other tables what stood when it began.
 */
export async function loadAccounts(
  sql: Sql,
  { accountIds, channels, sessionsOf = [], candidates = false }: AccountsWanted,
): Promise<LoadedAccounts> {
  const rows = await sql.$queryRaw<LoadedRow[]>`
    WITH wanted AS MATERIALIZED (
      SELECT CASE WHEN ${candidates} THEN string_to_array(current_setting(${CANDIDATES_SETTING}, true), ',')::uuid[]
        ELSE '{}' END AS candidates)
    SELECT ${RECORD},
      CASE WHEN few.channels <= ${FEW_CHANNELS} THEN few.named ELSE (${namedChannels(channels)}) END AS channels,
      CASE WHEN s.id = ANY(wanted.candidates || ${sessionsOf}::uuid[]) THEN s.session_data END AS session_data,
      CASE WHEN s.id = ANY(wanted.candidates || ${sessionsOf}::uuid[]) THEN s.session_metadata::text END AS session_metadata,
      s.session_key_id
    FROM wanted
    LEFT JOIN telegram_sessions s ON s.id = ANY(wanted.candidates || ${accountIds}::uuid[])
    LEFT JOIN leases l ON l.id = s.lease_id
    LEFT JOIN LATERAL (
      SELECT count(*) AS channels, jsonb_agg(to_jsonb(c))
        FILTER (WHERE c.channel = ANY(array_append(${channels}::text[], l.target_channel))) AS named
      FROM (SELECT * FROM channel_usage u WHERE u.account_id = s.id LIMIT ${FEW_CHANNELS + 1}) c) few ON true`;
  const loaded: LoadedAccounts = { now: 0, accounts: new Map(), connections: new Map() };
  for (const row of rows) {
    loaded.now = Math.max(loaded.now, row.now.getTime());
    if (row.id === null) continue;
    loaded.accounts.set(row.id, toAccountRecord(row as AccountRow));
    if (row.session_data !== null) loaded.connections.set(row.id, toConnection(row));
  }
  return loaded;
}

export interface LoadedRow extends Omit<AccountRow, 'id'> {
  now: Date;
  /** Null in the one row that carries the clock alone. */
  id: string | null;
  session_data: Uint8Array | null;
  session_key_id: string;
  session_metadata: string | null;
}

export const toConnection = (row: LoadedRow): Connection => ({
  sealed: Buffer.from(row.session_data ?? []),
  keyId: row.session_key_id,
  metadata: row.session_metadata ?? '{}',
});
