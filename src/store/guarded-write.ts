import { Prisma } from '../../generated/prisma/client.js';
import { toIso } from '../clock.js';
import { FREED_CHANNEL } from './notices.js';
import type { SqlPart } from './transaction.js';
import type { Writes } from './writes.js';

/** Everything that a batch was decided on, and that must still be so when it is written. */
export interface Guard {
  /** How many accounts the part `accounts` has to write; 0: there is no such part. */
  changed: number;
  /** How many permits the part `settled` has to settle; 0: there is no such part. */
  settled: number;
  /** Whether there is a part `appended`. */
  hasEvents: boolean;
  /** Accounts that were looked at and are not written. */
  unchanged: readonly { accountId: string; version: string }[];
  /** The run of the server that the accounts were read from: after a failover its transactions may get other ids. */
  server: string;
  /** The instant the batch was decided for. */
  now: number;
  /** The earliest instant at which one of its requests comes too late; infinite: there is none. */
  deadline: number;
}

/** A process that stood still between decision and write would count its actions at an instant long past. */
const MOST_AGE_MS = 2_000;

/** The state that a guarded write leaves. */
export interface Written {
  /** The version of every account that it wrote. */
  version: string;
  /** The database's clock. */
  now: Date;
  /** Ids of the events, in their order, with a comma between them. */
  events: string | null;
}

const NEVER = Prisma.sql`false`;

/** Writes and commits by itself; fails as a conflict, and then nothing is written, where the guard finds something changed. */
export const guardedStatement = (
  { parts, notices }: Writes,
  { changed, settled, hasEvents, unchanged, server, now, deadline }: Guard,
): SqlPart => {
  const seen = Prisma.sql`unnest(${unchanged.map(({ accountId }) => accountId)}::uuid[],
      ${unchanged.map(({ version }) => version)}::text[]) AS seen(id, version)`;
  const events = hasEvents
    ? Prisma.sql`(SELECT string_agg(id::text, ',' ORDER BY id) FROM appended)`
    : Prisma.sql`NULL::text`;
  const told =
    notices.length === 0
      ? Prisma.empty
      : Prisma.sql`, (SELECT count(pg_notify(${FREED_CHANNEL}, notice)) FROM unnest(${notices}::text[]) AS given(notice)) AS told`;
  return Prisma.sql`
    WITH ${Prisma.join(parts)}
    SELECT pg_current_xact_id()::xid::text AS version, date_trunc('milliseconds', clock_timestamp()) AS now, ${events} AS events, refuse_stale(
      ${changed === 0 ? NEVER : Prisma.sql`(SELECT count(*) FROM accounts) <> ${changed}::bigint`}
      OR ${settled === 0 ? NEVER : Prisma.sql`(SELECT count(*) FROM settled) <> ${settled}::bigint`}
      OR EXISTS (SELECT 1 FROM ${seen} WHERE NOT EXISTS (
        SELECT 1 FROM telegram_sessions s WHERE s.id = seen.id AND s.xmin = seen.version::xid))
      OR pg_postmaster_start_time()::text <> ${server}
      OR clock_timestamp() < ${toIso(now)}::timestamptz
      OR clock_timestamp() > ${toIso(Math.min(now + MOST_AGE_MS, deadline))}::timestamptz)${told}`;
};
