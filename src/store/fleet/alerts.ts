import { randomUUID } from 'node:crypto';
import type { AlertName, AlertSeverity } from '../../../contracts/alerts.js';
import { type Alert, compareAlerts, type OpenAlert } from '../../decide/jobs/compare-alerts.js';
import { announce } from '../history/announce.js';
import type { Database, Sql } from '../database.js';

/** Marks the advisory lock of the alerts among others in the database. */
const ALERT_LOCK = 0x414c5254;

export interface StoredAlert extends OpenAlert {
  raisedAt: number;
}

interface AlertRow {
  id: string;
  kind: string;
  subject: string;
  severity: AlertSeverity;
  data: Record<string, unknown>;
  raised_at: Date;
}

const toAlert = (row: AlertRow): StoredAlert => ({
  alertId: row.id,
  kind: row.kind,
  subject: row.subject,
  severity: row.severity,
  data: row.data,
  raisedAt: row.raised_at.getTime(),
});

/** The alerts that are raised and not resolved, the most severe first, then the oldest. */
export async function loadOpenAlerts(sql: Sql, limit?: number): Promise<StoredAlert[]> {
  const rows = await sql.$queryRaw<AlertRow[]>`
    SELECT id::text, kind, subject, severity, data, raised_at FROM alerts WHERE resolved_at IS NULL
    ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity), raised_at, id LIMIT ${limit ?? null}::integer`;
  return rows.map(toAlert);
}

/**
 * Makes the open alerts of the kinds looked for those that were found: each is raised once and resolved once, whoever
 * looks and however often, and both are announced. `subject`: where only one was looked at.
 */
export function settleAlerts(
  database: Database,
  kinds: readonly AlertName[],
  found: readonly Alert[],
  subject?: string,
): Promise<{ raised: number; resolved: number }> {
  return database.transaction(async (sql) => {
    await sql.$executeRaw`SELECT pg_advisory_xact_lock(${ALERT_LOCK}::bigint)`;
    const open = (await loadOpenAlerts(sql)).filter(
      (alert) =>
        (kinds as readonly string[]).includes(alert.kind) && (subject === undefined || alert.subject === subject),
    );
    const { raise, keep, resolve } = compareAlerts(open, found);
    const raised = raise.map((alert) => ({ ...alert, alertId: randomUUID() }));
    await insertAlerts(sql, raised);
    await updateAlerts(
      sql,
      keep.map((pair) => ({ ...pair.found, alertId: pair.open.alertId })),
    );
    await resolveAlerts(sql, resolve);
    await announce(sql, [
      ...raised.map((alert) => announcement(alert, 'raised')),
      ...resolve.map((alert) => announcement(alert, 'resolved')),
    ]);
    return { raised: raise.length, resolved: resolve.length };
  });
}

/**
 * Raises alerts that end by themselves, at the instant in their `until`; of one that is open already only the figures
 * are brought up to date, without a word.
 */
export async function raiseAlerts(sql: Sql, alerts: readonly Alert[]): Promise<void> {
  const latest = new Map(alerts.map((alert) => [`${alert.kind} ${alert.subject}`, alert]));
  const rows = [...latest.values()].map((alert) => toRow({ ...alert, alertId: randomUUID() }));
  const raised = await sql.$queryRaw<AlertRow[]>`
    INSERT INTO alerts (id, kind, subject, severity, data, raised_at)
    SELECT c.*, date_trunc('milliseconds', clock_timestamp())
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS c(id uuid, kind text, subject text, severity text, data jsonb)
    ORDER BY c.kind, c.subject
    ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE SET data = EXCLUDED.data
    RETURNING id::text, kind, subject, severity, data, raised_at`;
  const given = new Set(rows.map(({ id }) => id));
  const added = raised.filter(({ id }) => given.has(id));
  await announce(
    sql,
    added.map((row) => announcement(toAlert(row), 'raised')),
  );
}

/** Resolves and announces the alerts whose `until` has come; answers how many. */
export function resolveEndedAlerts(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    const rows = await sql.$queryRaw<AlertRow[]>`
      WITH ended AS (
        SELECT id FROM alerts WHERE resolved_at IS NULL AND (data ->> 'until')::timestamptz <= clock_timestamp()
        ORDER BY kind, subject FOR UPDATE)
      UPDATE alerts a SET resolved_at = clock_timestamp() FROM ended WHERE a.id = ended.id
      RETURNING a.id::text, kind, subject, severity, data, raised_at`;
    await announce(
      sql,
      rows.map((row) => announcement(toAlert(row), 'resolved')),
    );
    return rows.length;
  });
}

const announcement = ({ alertId, kind, subject, severity, data }: OpenAlert, state: 'raised' | 'resolved') => ({
  type: `alert.${severity}` as const,
  data: { ...data, alert_id: alertId, alert: kind, ...(subject !== '' && { subject }), state },
});

const toRow = ({ alertId, kind, subject, severity, data }: OpenAlert) => ({
  id: alertId,
  kind,
  subject,
  severity,
  data,
});

async function insertAlerts(sql: Sql, alerts: readonly OpenAlert[]): Promise<void> {
  if (alerts.length === 0) return;
  await sql.$executeRaw`
    INSERT INTO alerts (id, kind, subject, severity, data, raised_at)
    SELECT c.*, date_trunc('milliseconds', clock_timestamp())
    FROM json_to_recordset(${JSON.stringify(alerts.map(toRow))}::json) AS c(id uuid, kind text, subject text, severity text, data jsonb)`;
}

async function updateAlerts(sql: Sql, alerts: readonly OpenAlert[]): Promise<void> {
  if (alerts.length === 0) return;
  await sql.$executeRaw`
    UPDATE alerts a SET data = c.data
    FROM json_to_recordset(${JSON.stringify(alerts.map(toRow))}::json) AS c(id uuid, data jsonb)
    WHERE a.id = c.id AND a.data <> c.data`;
}

async function resolveAlerts(sql: Sql, alerts: readonly OpenAlert[]): Promise<void> {
  if (alerts.length === 0) return;
  await sql.$executeRaw`
    UPDATE alerts SET resolved_at = clock_timestamp() WHERE id = ANY(${alerts.map(({ alertId }) => alertId)}::uuid[])`;
}
