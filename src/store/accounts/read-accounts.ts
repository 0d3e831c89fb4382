import { Prisma } from '../../../generated/prisma/client.js';
import type { Permit } from './load-permits.js';
import type { CountedInLease } from './load-counted-in-leases.js';
import type { Connection } from '../sessions/load-sessions.js';
import type { Sql } from '../database.js';
import { type AccountRecord, type AccountRow, toAccountRecord } from './account-record.js';
import { candidateParts, type CandidatesWanted } from './claim-candidates.js';
import { type LoadedRow, namedChannels, RECORD, toConnection } from './load-accounts.js';

/** An account as it was read without a lock, with all that a batch may need of it. */
export interface RememberedAccount {
  record: AccountRecord;
  connection: Connection;
  /** The channels whose counters the record has; null: all that the account has. */
  channels: ReadonlySet<string> | null;
  /** Actions counted during its open lease; null: not known. */
  counted: CountedInLease[] | null;
  /** Those given of late, by id. */
  permits: Map<string, Permit>;
}

export interface AccountsRead {
  now: number;
  /** Names the run of the server that was asked: its ids of transactions go on in it, and nowhere else. */
  server: string;
  /** By id. */
  accounts: Map<string, RememberedAccount>;
  /** Ids of accounts that may be granted, by user; longest rested first. */
  candidates: Map<number, string[]>;
}

/** If an account has more channels, only those that are named are read. */
const FEW_CHANNELS = 20;

interface ReadRow extends LoadedRow {
  server: string;
  user_id: bigint;
  is_candidate: boolean;
  has_all: boolean;
}

/** Reads accounts by id, and candidates of users, as they stand at one instant. */
export async function readAccounts(
  sql: Sql,
  {
    accountIds,
    channels,
    candidates,
  }: {
    accountIds: readonly string[];
    channels: readonly string[];
    candidates: readonly CandidatesWanted[];
  },
): Promise<AccountsRead> {
  const found =
    candidates.length === 0
      ? Prisma.sql`wanted AS MATERIALIZED (SELECT '{}'::uuid[] AS candidates)`
      : Prisma.sql`${candidateParts(candidates, [])}, wanted AS MATERIALIZED (
      SELECT COALESCE(array_agg(id::uuid), '{}') AS candidates FROM found)`;
  const rows = await sql.$queryRaw<ReadRow[]>`
    WITH ${found}
    SELECT ${RECORD}, pg_postmaster_start_time()::text AS server, s.id = ANY(wanted.candidates) AS is_candidate,
      few.channels <= ${FEW_CHANNELS} AS has_all,
      CASE WHEN few.channels <= ${FEW_CHANNELS} THEN few.every ELSE (${namedChannels(channels)}) END AS channels,
      s.session_data, s.session_metadata::text, s.session_key_id
    FROM wanted
    LEFT JOIN telegram_sessions s ON s.id = ANY(wanted.candidates || ${accountIds}::uuid[])
    LEFT JOIN leases l ON l.id = s.lease_id
    LEFT JOIN LATERAL (
      SELECT count(*) AS channels, jsonb_agg(to_jsonb(c)) AS every
      FROM (SELECT * FROM channel_usage u WHERE u.account_id = s.id LIMIT ${FEW_CHANNELS + 1}) c) few ON true`;
  const read: AccountsRead = { now: 0, server: '', accounts: new Map(), candidates: new Map() };
  for (const row of rows) {
    read.now = Math.max(read.now, row.now.getTime());
    read.server = row.server;
    if (row.id !== null) take(read, row.id, row, channels);
  }
  for (const ids of read.candidates.values()) ids.sort(byRest(read));
  return read;
}

function take(read: AccountsRead, accountId: string, row: ReadRow, channels: readonly string[]): void {
  const record = toAccountRecord(row as AccountRow);
  const named = new Set(channels);
  if (record.lease?.targetChannel) named.add(record.lease.targetChannel);
  const known = { record, connection: toConnection(row), channels: row.has_all ? null : named };
  read.accounts.set(accountId, { ...known, counted: null, permits: new Map() });
  if (!row.is_candidate) return;
  const ids = read.candidates.get(record.userId);
  if (ids === undefined) read.candidates.set(record.userId, [accountId]);
  else ids.push(accountId);
}

/** The never used first. */
const byRest = ({ accounts }: AccountsRead) => {
  const lastUsedAt = (id: string): number => accounts.get(id)?.record.lastUsedAt ?? Number.NEGATIVE_INFINITY;
  return (a: string, b: string): number => lastUsedAt(a) - lastUsedAt(b) || (a < b ? -1 : 1);
};
