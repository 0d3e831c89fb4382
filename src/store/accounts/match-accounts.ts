import type { AccountStatus, DisabledReason } from '../../../contracts/fields.js';
import { MAX_COUNTED } from '../../../contracts/lists.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql, SqlPart } from '../database.js';
import type { SearchTerms } from './search-terms.js';

/** Which accounts are meant: those that meet every condition; null: any. */
export interface AccountMatch {
  users: readonly number[] | null;
  /** As of now: waits that are over count as over. */
  status: AccountStatus | null;
  disabledReason: DisabledReason | null;
  leasedBy: string | null;
  accountIds: readonly string[] | null;
  phone: string | null;
  /** Accounts that one of the terms is of. */
  search: SearchTerms | null;
  /** Nobody has them leased. */
  onlyFree: boolean;
}

export const ANY_ACCOUNT: AccountMatch = {
  users: null,
  status: null,
  disabledReason: null,
  leasedBy: null,
  accountIds: null,
  phone: null,
  search: null,
  onlyFree: false,
};

const IS_BLOCKED = Prisma.sql`s.blocked_until > statement_timestamp()`;
const WAITS = Prisma.sql`s.flood_wait_until > statement_timestamp()`;

/** The stored statuses that an account may have whose status, as of now, is the one wanted, and what it must meet then. */
const STATUS_NOW: Readonly<Record<AccountStatus, { stored: readonly AccountStatus[]; where: readonly SqlPart[] }>> = {
  active: {
    stored: ['active', 'flood_wait', 'blocked'],
    where: [Prisma.sql`(${IS_BLOCKED}) IS NOT TRUE`, Prisma.sql`(${WAITS}) IS NOT TRUE`],
  },
  flood_wait: { stored: ['flood_wait', 'blocked'], where: [Prisma.sql`(${IS_BLOCKED}) IS NOT TRUE`, WAITS] },
  blocked: { stored: ['blocked', 'flood_wait'], where: [IS_BLOCKED] },
  draining: { stored: ['draining'], where: [] },
  disabled: { stored: ['disabled'], where: [] },
};

/** As the index of these few has it. */
const WITH_TWO_WAITS = Prisma.sql`s.flood_wait_until IS NOT NULL AND s.blocked_until IS NOT NULL`;

/** Open leases of a service; one that is over and not yet written as ended is none. */
const isOpenLeaseOf = (service: string): SqlPart => Prisma.sql`
  l.service_name = ${service} AND l.ended_at IS NULL AND l.expires_at > statement_timestamp()`;

/** Nothing but the status narrows it down: the index has the order of ids within one stored status. */
const isByStatus = ({ users, accountIds, phone, disabledReason, leasedBy, search, status }: AccountMatch): boolean =>
  status !== null &&
  [users, accountIds, phone, disabledReason, leasedBy, search].every((condition) => condition === null);

/** Conditions that every account must meet, whichever way it is found. The table is `s`. */
const conditionsOf = (match: AccountMatch): SqlPart[] => {
  const { users, status, disabledReason, leasedBy, accountIds, phone, search, onlyFree } = match;
  return [
    ...(users === null ? [] : [Prisma.sql`s.user_id = ANY(${users}::bigint[])`]),
    ...(accountIds === null ? [] : [Prisma.sql`s.id = ANY(${accountIds}::uuid[])`]),
    ...(phone === null ? [] : [Prisma.sql`s.phone = ${phone}`]),
    ...(disabledReason === null ? [] : [Prisma.sql`s.status = 'disabled' AND s.disabled_reason = ${disabledReason}`]),
    ...(onlyFree ? [Prisma.sql`(NOT s.locked OR s.locked_until <= statement_timestamp())`] : []),
    ...(leasedBy === null || search === null
      ? []
      : [Prisma.sql`EXISTS (SELECT FROM leases l WHERE l.account_id = s.id AND ${isOpenLeaseOf(leasedBy)})`]),
    ...(status === null || isByStatus(match)
      ? []
      : [Prisma.sql`s.status = ANY(${STATUS_NOW[status].stored}::account_status[])`, ...STATUS_NOW[status].where]),
  ];
};

/** A way to find accounts by an index, in the order of their ids. */
interface Source {
  from: SqlPart;
  where: readonly SqlPart[];
  id: SqlPart;
}

const ACCOUNT_ID = Prisma.sql`s.id`;
const ACCOUNTS = { from: Prisma.sql`telegram_sessions s`, id: ACCOUNT_ID };
// By an outer join the account is looked up only where a condition asks for something of it.
const OF_LEASES = {
  from: Prisma.sql`leases l LEFT JOIN telegram_sessions s ON s.id = l.account_id`,
  id: Prisma.sql`l.account_id`,
};
const OF_PHONES = {
  from: Prisma.sql`account_phones p LEFT JOIN telegram_sessions s ON s.id = p.account_id`,
  id: Prisma.sql`p.account_id`,
};

/** Accounts that meet conditions which few do: found first, and put into order then. */
const few = (where: SqlPart): Source => ({
  from: Prisma.sql`(SELECT s.* FROM telegram_sessions s WHERE ${where} OFFSET 0) s`,
  where: [],
  id: ACCOUNT_ID,
});
const stored = (status: AccountStatus, ...where: readonly SqlPart[]): Source => ({
  ...ACCOUNTS,
  where: [Prisma.sql`s.status = ${status}::account_status`, ...where],
});

/**
 * Where the accounts of a status stand: those that are stored so, in the order of ids of an index, and the few whose
 * stored status has been overtaken by time. A wait that is not over is written as `(… <= now) IS NOT TRUE`, which the
 * planner takes for the rule; it takes `… > now` for so rare that it would gather all accounts that wait.
 */
const STANDING: Readonly<Record<AccountStatus, readonly Source[]>> = {
  active: [
    stored('active'),
    few(Prisma.sql`s.status IN ('flood_wait', 'blocked')
      AND GREATEST(s.flood_wait_until, s.blocked_until) <= statement_timestamp()`),
  ],
  flood_wait: [
    stored(
      'flood_wait',
      Prisma.sql`(${IS_BLOCKED}) IS NOT TRUE AND (s.flood_wait_until <= statement_timestamp()) IS NOT TRUE`,
    ),
    few(Prisma.sql`s.status = 'blocked' AND ${WITH_TWO_WAITS} AND (${IS_BLOCKED}) IS NOT TRUE AND ${WAITS}`),
  ],
  blocked: [
    stored('blocked', Prisma.sql`(s.blocked_until <= statement_timestamp()) IS NOT TRUE`),
    few(Prisma.sql`s.status = 'flood_wait' AND ${WITH_TWO_WAITS} AND ${IS_BLOCKED}`),
  ],
  draining: [stored('draining')],
  disabled: [stored('disabled')],
};

/** Where to look: together the sources have every account that may match. */
function sourcesOf(match: AccountMatch): readonly Source[] {
  const { status, leasedBy, search } = match;
  if (search !== null) {
    const { ids, phonePart, service } = search;
    return [
      ...(ids === null
        ? []
        : [{ ...ACCOUNTS, where: [Prisma.sql`s.id BETWEEN ${ids.first}::uuid AND ${ids.last}::uuid`] }]),
      ...(phonePart === null
        ? []
        : [
            {
              ...OF_PHONES,
              where: [
                Prisma.sql`phone_parts(p.phone) @> phone_parts(${phonePart}) AND p.phone LIKE ${`%${phonePart}%`}`,
              ],
            },
          ]),
      ...(service === null ? [] : [{ ...OF_LEASES, where: [isOpenLeaseOf(service)] }]),
    ];
  }
  if (leasedBy !== null) return [{ ...OF_LEASES, where: [isOpenLeaseOf(leasedBy)] }];
  if (status !== null && isByStatus(match)) return STANDING[status];
  return [{ ...ACCOUNTS, where: [] }];
}

/** The ids that the sources have, each at most `limit`, after an id; null: from the first on. */
function findIn(match: AccountMatch, afterId: string | null, limit: number): SqlPart {
  const found = sourcesOf(match).map(({ from, where, id }) => {
    const after = afterId === null ? [] : [Prisma.sql`${id} > ${afterId}::uuid`];
    const conditions = Prisma.join([Prisma.sql`true`, ...where, ...conditionsOf(match), ...after], ' AND ');
    return Prisma.sql`(SELECT ${id} AS id FROM ${from} WHERE ${conditions} ORDER BY ${id} LIMIT ${limit}::integer)`;
  });
  // A search that can find nothing.
  if (found.length === 0) return Prisma.sql`SELECT NULL::uuid AS id WHERE false`;
  return Prisma.join(found, ' UNION ');
}

/** Ids of the accounts that match, in their order, after an id, at most `limit`. */
export async function matchAccounts(
  sql: Sql,
  match: AccountMatch,
  { afterId = null, limit }: { afterId?: string | null; limit: number },
): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM (${findIn(match, afterId, limit)}) found ORDER BY found.id LIMIT ${limit}::integer`;
  return rows.map((row) => row.id);
}

/** How many accounts match, counted up to `MAX_COUNTED`. */
export async function countMatching(
  sql: Sql,
  match: AccountMatch,
): Promise<{ total: number; total_is_at_least: boolean }> {
  const [row] = await sql.$queryRaw<{ total: number }[]>`
    SELECT count(*)::integer AS total FROM (${findIn(match, null, MAX_COUNTED + 1)}) found`;
  const total = row?.total ?? 0;
  return { total: Math.min(total, MAX_COUNTED), total_is_at_least: total > MAX_COUNTED };
}
