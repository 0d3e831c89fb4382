import type { AccountStatus } from '../../../contracts/fields.js';
import { Prisma } from '../../../generated/prisma/client.js';
import { HIGH_ERROR_COUNT } from '../../decide/condition/errors.js';
import type { Sql, SqlPart } from '../database.js';

/** Whether an account has many errors that still count at an instant of the database; the rule of `errorsOn`. */
export const hasManyErrors = (at: SqlPart): SqlPart => Prisma.sql`(error_count >= ${HIGH_ERROR_COUNT}
  AND error_count - (SELECT count(*) FROM unnest(error_ends) AS ended(at) WHERE ended.at <= ${at}) >= ${HIGH_ERROR_COUNT})`;

/** The whole fleet as of the database's clock. Instants are epoch milliseconds. */
export interface FleetSnapshot {
  now: number;
  /** By status as of now: waits that are over count as over. */
  byStatus: Record<AccountStatus, number>;
  /** Active and with few errors. */
  healthy: number;
  /** Active and not leased. */
  available: number;
  highErrorCount: number;
  /** Waits not yet written as ended, over or not. */
  recoveriesDue: number;
  /** Null: no account waits. */
  nextRecoveryAt: number | null;
  leasesByService: Map<string, number>;
}

interface SnapshotRow {
  now: Date;
  by_status: Partial<Record<AccountStatus, number>>;
  healthy: number;
  available: number;
  high_error_count: number;
  recoveries_due: number;
  next_recovery: Date | null;
  leases: Record<string, number> | null;
}

/** Reads the state of the fleet in one query. */
export async function loadFleetSnapshot(sql: Sql): Promise<FleetSnapshot> {
  const [row] = await sql.$queryRaw<SnapshotRow[]>`
    WITH clock AS (SELECT date_trunc('milliseconds', clock_timestamp()) AS now),
    judged AS (
      SELECT ${hasManyErrors(Prisma.sql`clock.now`)} AS has_many_errors,
        CASE
          WHEN status IN ('disabled', 'draining') THEN status::text
          WHEN blocked_until > clock.now THEN 'blocked'
          WHEN flood_wait_until > clock.now THEN 'flood_wait'
          ELSE 'active'
        END AS state,
        CASE WHEN status IN ('flood_wait', 'blocked') THEN GREATEST(flood_wait_until, blocked_until) END AS waits_until,
        status IN ('flood_wait', 'blocked') AS waits,
        CASE WHEN locked AND locked_until > clock.now THEN locked_by END AS holder
      FROM telegram_sessions, clock),
    -- One pass over the accounts: few groups are left to add up.
    groups AS (
      SELECT state, has_many_errors, waits, holder, count(*)::integer AS accounts, min(waits_until) AS next_recovery
      FROM judged GROUP BY state, has_many_errors, waits, holder)
    SELECT (SELECT now FROM clock) AS now,
      COALESCE((SELECT jsonb_object_agg(state, accounts) FROM (
        SELECT state, sum(accounts) AS accounts FROM groups GROUP BY state) s), '{}') AS by_status,
      COALESCE(sum(accounts) FILTER (WHERE state = 'active' AND NOT has_many_errors), 0)::integer AS healthy,
      COALESCE(sum(accounts) FILTER (WHERE state = 'active' AND holder IS NULL), 0)::integer AS available,
      COALESCE(sum(accounts) FILTER (WHERE has_many_errors), 0)::integer AS high_error_count,
      COALESCE(sum(accounts) FILTER (WHERE waits), 0)::integer AS recoveries_due,
      min(next_recovery) AS next_recovery,
      (SELECT jsonb_object_agg(holder, accounts) FROM (
        SELECT holder, sum(accounts) AS accounts FROM groups WHERE holder IS NOT NULL GROUP BY holder) l) AS leases
    FROM groups`;
  if (row === undefined) throw new Error('the snapshot query gave no row');
  return {
    now: row.now.getTime(),
    byStatus: { active: 0, flood_wait: 0, blocked: 0, draining: 0, disabled: 0, ...row.by_status },
    healthy: row.healthy,
    available: row.available,
    highErrorCount: row.high_error_count,
    recoveriesDue: row.recoveries_due,
    nextRecoveryAt: row.next_recovery?.getTime() ?? null,
    leasesByService: new Map(Object.entries(row.leases ?? {})),
  };
}

/** Events that wait to be published, and the age of the oldest. */
export async function loadOutboxState(sql: Sql): Promise<{ pending: number; oldestAgeSeconds: number }> {
  const [row] = await sql.$queryRaw<{ pending: number; oldest_age: number }[]>`
    SELECT count(*)::integer AS pending,
      COALESCE(GREATEST(0, extract(epoch FROM clock_timestamp() - (
        SELECT occurred_at FROM events WHERE id = (SELECT min(id) FROM outbox)))), 0)::float8 AS oldest_age
    FROM outbox`;
  return { pending: row?.pending ?? 0, oldestAgeSeconds: row?.oldest_age ?? 0 };
}
