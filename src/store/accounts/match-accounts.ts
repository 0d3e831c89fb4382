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

/** The stored statuses that an account may have whose status, as of now, is the one wanted. */
const STORED_AS: Readonly<Record<AccountStatus, readonly AccountStatus[]>> = {
  active: ['active', 'flood_wait', 'blocked'],
  flood_wait: ['flood_wait', 'blocked'],
  blocked: ['blocked', 'flood_wait'],
  draining: ['draining'],
  disabled: ['disabled'],
};

const IS_BLOCKED = Prisma.sql`s.blocked_until > statement_timestamp()`;
const WAITS = Prisma.sql`s.flood_wait_until > statement_timestamp()`;
/** What an account with such a stored status must meet. As plain conditions: the planner takes a CASE for very rare. */
const STATUS_NOW: Readonly<Record<AccountStatus, SqlPart[]>> = {
  active: [Prisma.sql`(${IS_BLOCKED}) IS NOT TRUE`, Prisma.sql`(${WAITS}) IS NOT TRUE`],
  flood_wait: [Prisma.sql`(${IS_BLOCKED}) IS NOT TRUE`, WAITS],
  blocked: [IS_BLOCKED],
  draining: [],
  disabled: [],
};

/** Open leases of a service; one that is over and not yet written as ended is none. */
const isOpenLeaseOf = (service: string): SqlPart => Prisma.sql`
  l.service_name = ${service} AND l.ended_at IS NULL AND l.expires_at > statement_timestamp()`;

/** Nothing but the status narrows it down: the index has the order of ids within one stored status. */
const isByStatus = ({ users, accountIds, phone, disabledReason, leasedBy, search, status }: AccountMatch): boolean =>
  status !== null &&
  [users, accountIds, phone, disabledReason, leasedBy, search].every((condition) => condition === null);

/** What every account must meet, whichever way it is found. The table is `s`. */
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
    ...(status === null ? [] : STATUS_NOW[status]),
    ...(status === null || isByStatus(match)
      ? []
      : [Prisma.sql`s.status = ANY(${STORED_AS[status]}::account_status[])`]),
  ];
};

/** A way to find accounts by an index, in the order of their ids. */
interface Source {
  from: SqlPart;
  where: SqlPart[];
}

const ACCOUNTS = Prisma.sql`telegram_sessions s`;
const OF_LEASES = Prisma.sql`leases l JOIN telegram_sessions s ON s.id = l.account_id`;
const OF_PHONES = Prisma.sql`account_phones p JOIN telegram_sessions s ON s.id = p.account_id`;

/** Where to look: together the sources have every account that may match. */
function sourcesOf(match: AccountMatch): Source[] {
  const { status, leasedBy, search } = match;
  if (search !== null) {
    const { ids, phonePart, service } = search;
    return [
      ...(ids === null
        ? []
        : [{ from: ACCOUNTS, where: [Prisma.sql`s.id BETWEEN ${ids.first}::uuid AND ${ids.last}::uuid`] }]),
      ...(phonePart === null
        ? []
        : [
            {
              from: OF_PHONES,
              where: [
                Prisma.sql`phone_parts(p.phone) @> phone_parts(${phonePart}) AND p.phone LIKE ${`%${phonePart}%`}`,
              ],
            },
          ]),
      ...(service === null ? [] : [{ from: OF_LEASES, where: [isOpenLeaseOf(service)] }]),
    ];
  }
  if (leasedBy !== null) return [{ from: OF_LEASES, where: [isOpenLeaseOf(leasedBy)] }];
  if (status !== null && isByStatus(match))
    return STORED_AS[status].map((stored) => ({
      from: ACCOUNTS,
      where: [Prisma.sql`s.status = ${stored}::account_status`],
    }));
  return [{ from: ACCOUNTS, where: [] }];
}

/** The ids that the sources have, each at most `limit`. */
function findIn(match: AccountMatch, more: readonly SqlPart[], limit: number): SqlPart {
  const found = sourcesOf(match).map(({ from, where }) => {
    const conditions = Prisma.join([Prisma.sql`true`, ...where, ...conditionsOf(match), ...more], ' AND ');
    return Prisma.sql`(SELECT s.id FROM ${from} WHERE ${conditions} ORDER BY s.id LIMIT ${limit}::integer)`;
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
  const after = afterId === null ? [] : [Prisma.sql`s.id > ${afterId}::uuid`];
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM (${findIn(match, after, limit)}) found ORDER BY found.id LIMIT ${limit}::integer`;
  return rows.map((row) => row.id);
}

/** How many accounts match, counted up to `MAX_COUNTED`. */
export async function countMatching(
  sql: Sql,
  match: AccountMatch,
): Promise<{ total: number; total_is_at_least: boolean }> {
  const [row] = await sql.$queryRaw<{ total: number }[]>`
    SELECT count(*)::integer AS total FROM (${findIn(match, [], MAX_COUNTED + 1)}) found`;
  const total = row?.total ?? 0;
  return { total: Math.min(total, MAX_COUNTED), total_is_at_least: total > MAX_COUNTED };
}
