import { readFileSync } from 'node:fs';
import type pg from 'pg';
import type { LedgerEntry } from '../telegram-simulator.js';
import type { Lease, Permit, StoredEvent, Wait } from './prove.js';

/** How often something was seen, by what it was. */
export type Counts = Record<string, number>;

/** What has happened so far, in numbers. */
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
  events: StoredEvent[];
  leases: Lease[];
  waits: Wait[];
  permits: Permit[];
  /** The accounts' ids by phone number. */
  accountIds: Map<string, string>;
}

interface EventRow {
  event_id: string;
  type: string;
  /** Null: of no account. */
  account_id: string | null;
  sequence: string | null;
  occurred_at: Date;
  data: { lease_id?: string; fence?: number; ended_at?: string; recovery_at?: string | null };
}

const LEASE_ENDS = ['account.released', 'account.lease_expired'];
const WAITS = ['account.flood_wait', 'account.blocked', 'account.disabled'];

/** Everything is in the past: call it when nothing happens any more. */
export async function loadHistory(database: pg.Client): Promise<History> {
  const skewMs = await measureSkew(database);
  const toInstant = (time: Date | string) => new Date(time).getTime() - skewMs;
  const { rows } = await database.query<EventRow>(
    'SELECT event_id, type, account_id, sequence, occurred_at, data FROM events ORDER BY id',
  );
  const ends = new Map(
    rows.filter(({ type }) => LEASE_ENDS.includes(type)).map(({ data }) => [data.lease_id, data.ended_at]),
  );
  return {
    events: rows.map(({ event_id: id, account_id: account, sequence }) => ({
      id,
      account,
      sequence: sequence === null ? null : Number(sequence),
    })),
    leases: rows
      .filter(({ type }) => type === 'account.allocated')
      .map(({ account_id: account, occurred_at: from, data: { lease_id: leaseId = '', fence = 0 } }) => {
        const end = ends.get(leaseId);
        return {
          account: account ?? '',
          leaseId,
          fence,
          from: toInstant(from),
          until: end === undefined ? null : toInstant(end),
        };
      }),
    waits: rows
      .filter(({ type }) => WAITS.includes(type))
      .map(({ account_id: account, occurred_at: from, data: { recovery_at: until } }) => ({
        account: account ?? '',
        from: toInstant(from),
        until: until ? toInstant(until) : Number.POSITIVE_INFINITY,
      })),
    permits: await loadPermits(database, toInstant),
    accountIds: await loadAccountIds(database),
  };
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

/** What Telegram wrote down. */
export const readLedger = (file: string): LedgerEntry[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LedgerEntry);
