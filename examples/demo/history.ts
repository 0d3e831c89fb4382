import { readFileSync } from 'node:fs';
import type pg from 'pg';
import type { LedgerEntry } from '../telegram-simulator.js';
import type { Lease, Permit, Recovery, StoredEvent, Wait } from './prove.js';

/** How often something was seen, by what it was. */
export type Counts = Record<string, number>;

/** The story so far, in numbers. */
export interface Figures {
  grants: number;
  held: number;
  /** Permits by action. */
  allowed: Counts;
  /** Refused actions by rule, and refused allocations by code. */
  refusedActions: Counts;
  refusedAllocations: Counts;
  /** Reported errors, by class and what they did. */
  errors: Counts;
  /** Accounts by status. */
  accounts: Counts;
}

/** Every figure in one query. */
export async function loadFigures(database: pg.Client): Promise<Figures> {
  const { rows } = await database.query<{ figures: Figures }>(`
    WITH counted AS (
      SELECT 'allowed' AS what, action_type AS which, sum(quantity) AS n FROM counted_actions GROUP BY action_type
      UNION ALL
      SELECT 'refusedActions', reply->>'reason', count(*) FROM answered_requests
        WHERE operation = 'action.acquire' AND reply->>'allowed' = 'false' GROUP BY reply->>'reason'
      UNION ALL
      SELECT 'refusedAllocations', reply->'error'->>'code', count(*) FROM answered_requests
        WHERE operation = 'account.allocate' AND reply->>'success' = 'false' GROUP BY reply->'error'->>'code'
      UNION ALL
      SELECT 'errors', concat(reply->'result'->>'classified_as', ' → ', reply->'result'->>'action_taken'), count(*)
        FROM answered_requests WHERE operation = 'account.error' AND reply->>'success' = 'true' GROUP BY 2
      UNION ALL
      SELECT 'accounts', status::text, count(*) FROM telegram_sessions GROUP BY status
    ), grouped AS (
      SELECT what, jsonb_object_agg(which, n ORDER BY n DESC) AS counts FROM counted GROUP BY what
    )
    SELECT jsonb_build_object(
      'grants', (SELECT count(*) FROM leases),
      'held', (SELECT count(*) FROM leases WHERE ended_at IS NULL),
      'allowed', '{}'::jsonb, 'refusedActions', '{}'::jsonb, 'refusedAllocations', '{}'::jsonb, 'errors', '{}'::jsonb
    ) || (SELECT coalesce(jsonb_object_agg(what, counts), '{}') FROM grouped) AS figures`);
  const [row] = rows;
  if (row === undefined) throw new Error('no figures');
  return row.figures;
}

/** The service's own account of what happened: its event history, and the actions it counted. */
export interface History {
  leases: Lease[];
  waits: Wait[];
  recoveries: (Omit<Recovery, 'arrivedAt'> & { eventId: string })[];
  permits: Permit[];
  /** The accounts' ids by phone number. */
  accountIds: Map<string, string>;
}

interface EventRow {
  event_id: string;
  type: string;
  account_id: string;
  occurred_at: Date;
  data: { lease_id?: string; fence?: number; ended_at?: string; recovery_at?: string | null };
}

const LEASE_ENDS = ['account.released', 'account.lease_expired'];
const WAITS = ['account.flood_wait', 'account.blocked', 'account.disabled'];
const RECOVERED = 'account.recovered';

/** Everything is in the past: call it when nothing happens any more. */
export async function loadHistory(database: pg.Client): Promise<History> {
  const skewMs = await measureSkew(database);
  const toInstant = (time: Date | string) => new Date(time).getTime() - skewMs;
  const { rows } = await database.query<EventRow>(
    'SELECT event_id, type, account_id, occurred_at, data FROM events WHERE account_id IS NOT NULL ORDER BY id',
  );
  const ends = new Map(
    rows.filter(({ type }) => LEASE_ENDS.includes(type)).map(({ data }) => [data.lease_id, data.ended_at]),
  );
  return {
    leases: rows
      .filter(({ type }) => type === 'account.allocated')
      .map(({ account_id: account, occurred_at: from, data: { lease_id: leaseId = '', fence = 0 } }) => {
        const end = ends.get(leaseId);
        return {
          account,
          leaseId,
          fence,
          from: toInstant(from),
          until: end === undefined ? null : toInstant(end),
        };
      }),
    ...tellWaits(
      rows
        .filter(({ type }) => type === RECOVERED || WAITS.includes(type))
        .map(({ event_id: eventId, type, account_id: account, occurred_at: at, data: { recovery_at: until } }) => ({
          eventId,
          account,
          at: toInstant(at),
          until: until ? toInstant(until) : Number.POSITIVE_INFINITY,
          isRecovery: type === RECOVERED,
        })),
    ),
    permits: await loadPermits(database, toInstant),
    accountIds: await loadAccountIds(database),
  };
}

/**
 * A wait lasts until the last end that was reported for it. A report on an account that waits belongs to the same wait.
 */
function tellWaits(
  told: readonly { eventId: string; account: string; at: number; until: number; isRecovery: boolean }[],
): Pick<History, 'waits' | 'recoveries'> {
  const waits: Wait[] = [];
  const recoveries: History['recoveries'] = [];
  const present = new Map<string, Wait>();
  for (const { eventId, account, at, until, isRecovery } of told) {
    const wait = present.get(account);
    if (isRecovery) {
      recoveries.push({ eventId, account, recoveredAt: at, promisedAt: wait?.until ?? null });
      present.delete(account);
    } else if (wait !== undefined) {
      wait.until = until;
    } else {
      const begun = { account, from: at, until };
      waits.push(begun);
      present.set(account, begun);
    }
  }
  return { waits, recoveries };
}

/** Every event, in the order in which they were written. */
export async function loadEvents(database: pg.Client): Promise<StoredEvent[]> {
  const { rows } = await database.query<{ id: string; account: string | null; sequence: string | null }>(
    'SELECT event_id AS id, account_id AS account, sequence FROM events ORDER BY events.id',
  );
  return rows.map(({ sequence, ...event }) => ({ ...event, sequence: sequence === null ? null : Number(sequence) }));
}

/** The alerts that are raised and not resolved, by id. */
export async function loadOpenAlerts(database: pg.Client): Promise<Set<string>> {
  const { rows } = await database.query<{ id: string }>('SELECT id FROM alerts WHERE resolved_at IS NULL');
  return new Set(rows.map(({ id }) => id));
}

/** The accounts that wait, and those of them that are blocked. */
export async function loadWaiting(database: pg.Client): Promise<{ waiting: string[]; blocked: string[] }> {
  const { rows } = await database.query<{ id: string; status: string }>(
    `SELECT id, status::text FROM telegram_sessions WHERE status IN ('flood_wait', 'blocked')`,
  );
  const idsOf = (wanted: typeof rows) => wanted.map(({ id }) => id);
  return { waiting: idsOf(rows), blocked: idsOf(rows.filter(({ status }) => status === 'blocked')) };
}

async function loadPermits(database: pg.Client, toInstant: (time: Date) => number): Promise<Permit[]> {
  const { rows } = await database.query<{ account: string; type: string; channel: string | null; counted_at: Date }>(
    `SELECT account_id AS account, action_type AS type, channel, counted_at
     FROM counted_actions, generate_series(1, quantity) ORDER BY counted_at`,
  );
  return rows.map(({ counted_at: countedAt, ...permit }) => ({ ...permit, at: toInstant(countedAt) }));
}

export async function loadAccountIds(database: pg.Client): Promise<Map<string, string>> {
  const { rows } = await database.query<{ phone: string; id: string }>('SELECT phone, id FROM telegram_sessions');
  return new Map(rows.map(({ phone, id }) => [phone, id]));
}

/** How far the database's clock is ahead of this machine's, milliseconds: the best of a few tries. */
async function measureSkew(database: pg.Client): Promise<number> {
  let best = { roundTripMs: Number.POSITIVE_INFINITY, skewMs: 0 };
  for (let tries = 0; tries < 5; tries++) {
    const before = Date.now();
    const { rows } = await database.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const after = Date.now();
    const skewMs = Math.round((rows[0]?.now.getTime() ?? before) - (before + after) / 2);
    if (after - before < best.roundTripMs) best = { roundTripMs: after - before, skewMs };
  }
  return best.skewMs;
}

/** Entries of the ledger that the fake Telegram kept. */
export const readLedger = (file: string): LedgerEntry[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LedgerEntry);
