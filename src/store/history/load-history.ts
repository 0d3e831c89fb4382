import type { Sql } from '../database.js';

/** Kind of an entry: an event, a counted action, or a report of an error. */
export const ENTRY_KINDS = { event: 0, action: 1, error: 2 } as const;
export type EntryKind = keyof typeof ENTRY_KINDS;

/**
 * Where an entry stands in its account's history. Actions and errors bear the sequence of the last event before them.
 * Entries of one sequence are ordered by time, those of one instant by kind and by a rising number.
 */
export interface HistoryPlace {
  sequence: number;
  /** Epoch milliseconds. */
  at: number;
  kind: number;
  number: number;
}

/** An entry as it is stored; the columns in `details` depend on the kind. */
export interface HistoryRow extends HistoryPlace {
  type: string;
  serviceName: string | null;
  caller: string | null;
  requestId: string | null;
  details: Record<string, unknown>;
}

/** Entries of an account, the newest first: those of the kinds wanted that stand before a place; null: all. */
export async function loadHistory(
  sql: Sql,
  {
    accountId,
    kinds,
    before,
    limit,
  }: { accountId: string; kinds: readonly EntryKind[]; before: HistoryPlace | null; limit: number },
): Promise<HistoryRow[]> {
  const { sequence, at, kind, number } = before ?? END;
  const instant = at === Number.POSITIVE_INFINITY ? 'infinity' : new Date(at).toISOString();
  const wants = (wanted: EntryKind): boolean => kinds.includes(wanted);
  // The second condition of each part is what its index is searched by; the third cuts off the rest.
  return sql.$queryRaw<HistoryRow[]>`
    SELECT sequence::float8 AS sequence, (extract(epoch FROM at) * 1000)::float8 AS at, kind, number::float8 AS number, type,
      service_name AS "serviceName", caller, request_id AS "requestId", details
    FROM (
      (SELECT sequence, occurred_at AS at, 0 AS kind, 0::bigint AS number, type, NULL AS service_name, caller, request_id,
         data AS details
       FROM events
       WHERE account_id = ${accountId}::uuid AND sequence <= ${sequence}::bigint AND ${wants('event')}::boolean
         AND (sequence, occurred_at, 0, 0) < (${sequence}::bigint, ${instant}::timestamptz, ${kind}::integer, ${number}::bigint)
       ORDER BY sequence DESC LIMIT ${limit}::integer)
      UNION ALL
      (SELECT sequence, counted_at, 1, usage_version, 'action.' || source, service_name, caller, request_id,
         jsonb_build_object('action_type', action_type, 'target_channel_id', channel, 'quantity', quantity,
           'permit_id', CASE WHEN source = 'acquired' THEN id END, 'lease_id', lease_id, 'success', success,
           'settled_at', to_char(settled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'limits_left', limits_left)
       FROM counted_actions
       WHERE account_id = ${accountId}::uuid AND (sequence, counted_at) <= (${sequence}::bigint, ${instant}::timestamptz) AND ${wants('action')}::boolean
         AND (sequence, counted_at, 1, usage_version) < (${sequence}::bigint, ${instant}::timestamptz, ${kind}::integer, ${number}::bigint)
       ORDER BY sequence DESC, counted_at DESC, usage_version DESC LIMIT ${limit}::integer)
      UNION ALL
      (SELECT sequence, reported_at, 2, id, 'error.reported', service_name, caller, request_id,
         jsonb_build_object('error_class', error_class, 'telegram_error', telegram_error, 'wait_seconds', wait_seconds,
           'action_taken', action_taken, 'decided_by', decided_by, 'found', found, 'lease_id', lease_id)
       FROM error_reports
       WHERE account_id = ${accountId}::uuid AND (sequence, reported_at) <= (${sequence}::bigint, ${instant}::timestamptz) AND ${wants('error')}::boolean
         AND (sequence, reported_at, 2, id) < (${sequence}::bigint, ${instant}::timestamptz, ${kind}::integer, ${number}::bigint)
       ORDER BY sequence DESC, reported_at DESC, id DESC LIMIT ${limit}::integer)
    ) entries
    ORDER BY sequence DESC, at DESC, kind DESC, number DESC LIMIT ${limit}::integer`;
}

/** After everything. */
const END: HistoryPlace = { sequence: Number.MAX_SAFE_INTEGER, at: Number.POSITIVE_INFINITY, kind: 9, number: 0 };
