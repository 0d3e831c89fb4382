import type { Sample, SampleValues, Tally } from '../../decide/series/samples.js';
import type { Sql } from '../database.js';
import { loadFleetSnapshot, loadOutboxState } from '../fleet/fleet-state.js';

const SECOND_MS = 1_000;
const at = (instant: number): Date => new Date(instant);

/** Keeps what an instance has answered in the minute that began at `minute`. */
export async function keepTally(sql: Sql, minute: number, instance: string, tally: Tally): Promise<void> {
  await sql.$executeRaw`
    INSERT INTO series_parts (at, instance, tally) VALUES (${at(minute)}, ${instance}, ${JSON.stringify(tally)}::jsonb)
    ON CONFLICT DO NOTHING`;
}

/** The database's clock. */
export async function loadClock(sql: Sql): Promise<number> {
  const [row] = await sql.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  return row?.now.getTime() ?? 0;
}

/** Takes it on this transaction to write the sample; false: it is written, or another instance is at it. */
export async function claimSample(sql: Sql, minute: number): Promise<boolean> {
  const [row] = await sql.$queryRaw<{ claimed: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtext('series_samples'))
      AND NOT EXISTS (SELECT FROM series_samples WHERE step_seconds = 60 AND at = ${at(minute)}) AS claimed`;
  return row?.claimed ?? false;
}

export async function loadTallies(sql: Sql, minute: number): Promise<Tally[]> {
  const rows = await sql.$queryRaw<{ tally: Tally }[]>`SELECT tally FROM series_parts WHERE at = ${at(minute)}`;
  return rows.map(({ tally }) => tally);
}

/** Measures of a minute from the database: the fleet's state now, and the work done in that minute. */
export async function measureMinute(sql: Sql, minute: number, lengthMs: number): Promise<Record<string, number>> {
  const snapshot = await loadFleetSnapshot(sql);
  const outbox = await loadOutboxState(sql);
  const [from, to] = [at(minute), at(minute + lengthMs)];
  const counted = await sql.$queryRaw<{ name: string; value: number }[]>`
    SELECT 'grants' AS name, count(*)::float8 AS value FROM leases WHERE allocated_at >= ${from} AND allocated_at < ${to}
    UNION ALL
    SELECT 'actions.' || action_type, sum(quantity)::float8 FROM counted_actions
    WHERE counted_at >= ${from} AND counted_at < ${to} GROUP BY action_type
    UNION ALL
    SELECT 'errors.' || error_class, count(*)::float8 FROM error_reports
    WHERE reported_at >= ${from} AND reported_at < ${to} GROUP BY error_class
    UNION ALL
    SELECT 'recoveries', count(*)::float8 FROM events
    WHERE type = 'account.recovered' AND occurred_at >= ${from} AND occurred_at < ${to}`;
  return {
    ...Object.fromEntries(Object.entries(snapshot.byStatus).map(([status, count]) => [`accounts.${status}`, count])),
    'leases.open': [...snapshot.leasesByService.values()].reduce((sum, leases) => sum + leases, 0),
    'outbox.age_seconds': outbox.oldestAgeSeconds,
    ...Object.fromEntries(counted.filter(({ value }) => value > 0).map(({ name, value }) => [name, value])),
  };
}

/** Writes a sample; one that is there stays. */
export async function insertSample(sql: Sql, stepMs: number, { at: begin, values }: Sample): Promise<void> {
  await sql.$executeRaw`
    INSERT INTO series_samples (step_seconds, at, values)
    VALUES (${stepMs / SECOND_MS}::integer, ${at(begin)}, ${JSON.stringify(values)}::jsonb) ON CONFLICT DO NOTHING`;
}

/** Samples of one step that began from `from` on and before `to`, the oldest first; null: whatever the series. */
export async function loadSamples(
  sql: Sql,
  stepMs: number,
  { from, to, names = null }: { from: number; to: number; names?: readonly string[] | null },
): Promise<Sample[]> {
  const rows = await sql.$queryRaw<{ at: Date; values: SampleValues | null }[]>`
    SELECT at, CASE WHEN ${names}::text[] IS NULL THEN values
      ELSE (SELECT jsonb_object_agg(key, value) FROM jsonb_each(values) WHERE key = ANY(${names}::text[])) END AS values
    FROM series_samples
    WHERE step_seconds = ${stepMs / SECOND_MS}::integer AND at >= ${at(from)} AND at < ${at(to)} ORDER BY at`;
  return rows.map((row) => ({ at: row.at.getTime(), values: row.values ?? {} }));
}

/** Removes samples and parts that have been kept long enough. */
export async function removeOldSamples(
  sql: Sql,
  before: { minutes: number; hours: number; parts: number },
): Promise<void> {
  await sql.$executeRaw`
    DELETE FROM series_samples
    WHERE (step_seconds = 60 AND at < ${at(before.minutes)}) OR (step_seconds = 3600 AND at < ${at(before.hours)})`;
  await sql.$executeRaw`DELETE FROM series_parts WHERE at < ${at(before.parts)}`;
}
