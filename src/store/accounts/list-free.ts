import { Prisma } from '../../../generated/prisma/client.js';
import type { ActionType } from '../../../contracts/fields.js';
import type { ChannelUsage, WindowBounds } from '../../decide/limits/usage-window.js';
import { toIso } from '../../clock.js';
import { channelKey, FIRST_ID } from './account-record.js';
import type { Sql, SqlPart } from '../database.js';

/** Facts to be read of each free account. */
export interface UsageWanted {
  /** Windows, each with the hourly limit that it is judged by. */
  windows: readonly { action: ActionType; hourlyLimit: number | null }[];
  /** Counters in channels. */
  counters: readonly { action: ActionType; channel: string }[];
  /** Blocks that ended before this instant do not matter any more, epoch milliseconds. */
  blocksSince: number;
}

/** A free account as far as its limits can refuse it. Instants are epoch milliseconds. */
export interface FreeAccount {
  accountId: string;
  /** Null: never. */
  lastUsedAt: number | null;
  /** Null: not since `blocksSince`. */
  lastBlockEndedAt: number | null;
  /** By action; absent: nothing done. */
  windows: Partial<Record<ActionType, WindowBounds>>;
  /** By `channelKey`; absent: nothing done there. */
  channels: ReadonlyMap<string, ChannelUsage>;
}

export interface FreePage {
  /** When it was read, by the database's clock. */
  now: number;
  /** In no order. Each is made when it is asked for, so that the reader can pause in between. */
  accounts: Iterable<FreeAccount>;
}

/** So many rows are looked up for one page, which takes PostgreSQL about 30 ms. */
const LOOKUPS_PER_PAGE = 10_000;

/**
 * A user's free accounts, page by page, none of them locked: the never used first, then the longest rested. The next
 * page is read while the reader works on one. Pages are ordered as `free_accounts` is, by the columns of the table: `id`
 * alone would mean the text, and each page would sort all that are left. The index must have all that a page is made
 * from, or the planner would rather sort: blocks are read before.
 */
export async function* listFreeAccounts(sql: Sql, userId: number, wanted: UsageWanted): AsyncGenerator<FreePage> {
  const blocks = await loadBlocks(sql, userId, wanted.blocksSince);
  yield* listPages(
    sql,
    { userId, wanted, blocks },
    ({ id }) => Prisma.sql`s.last_used_at IS NULL AND s.id > ${id}::uuid`,
  );
  yield* listPages(
    sql,
    { userId, wanted, blocks },
    ({ id, at }) => Prisma.sql`(s.last_used_at, s.id) > (COALESCE(${at}::timestamptz, '-infinity'), ${id}::uuid)`,
  );
}

/** The account with which a page ended. */
interface Last {
  id: string;
  at: Date | null;
}

interface PageRow {
  now: Date;
  last_id: string;
  last_used_at: Date | null;
  size: number;
  accounts: string;
}

/** When the blocks of the user's free accounts ended, by account. */
async function loadBlocks(sql: Sql, userId: number, since: number): Promise<Map<string, number>> {
  const rows = await sql.$queryRaw<{ id: string; last_block_ended_at: Date }[]>`
    SELECT id::text, last_block_ended_at FROM telegram_sessions
    WHERE user_id = ${userId}::bigint AND NOT locked AND status = 'active'
      AND last_block_ended_at >= ${toIso(since)}::timestamptz`;
  return new Map(rows.map((row) => [row.id, row.last_block_ended_at.getTime()]));
}

interface Listing {
  userId: number;
  wanted: UsageWanted;
  blocks: ReadonlyMap<string, number>;
}

async function* listPages(
  sql: Sql,
  { userId, wanted, blocks }: Listing,
  after: (last: Last) => SqlPart,
): AsyncGenerator<FreePage> {
  const limit = Math.ceil(LOOKUPS_PER_PAGE / (1 + wanted.windows.length + wanted.counters.length));
  const read = (last: Last) => readPage(sql, { userId, limit, within: after(last), wanted });
  let coming: Promise<PageRow | undefined> | null = read({ id: FIRST_ID, at: null });
  while (coming !== null) {
    const page: PageRow | undefined = await coming;
    if (page === undefined) return;
    coming = page.size < limit ? null : read({ id: page.last_id, at: page.last_used_at });
    // Its failure is the reader's when it comes to it, and nobody's when it has seen enough.
    coming?.catch(() => undefined);
    yield { now: page.now.getTime(), accounts: readAccounts(page.accounts, wanted, blocks) };
  }
}

/**
 * A page as one text, each field followed by a comma: a row of each account would cost the driver several times what
 * PostgreSQL takes to find it. The windows are looked up in the order of their index, which saves a quarter of that.
 */
async function readPage(
  sql: Sql,
  { userId, limit, within, wanted }: { userId: number; limit: number; within: SqlPart; wanted: UsageWanted },
): Promise<PageRow | undefined> {
  const [page] = await sql.$queryRaw<PageRow[]>`
    WITH page AS MATERIALIZED (
      SELECT s.id, s.last_used_at FROM telegram_sessions s
      WHERE s.user_id = ${userId}::bigint AND NOT s.locked AND s.status = 'active' AND ${within}
      ORDER BY s.last_used_at NULLS FIRST, s.id LIMIT ${limit}::integer
    ), last AS (SELECT id, last_used_at FROM page ORDER BY last_used_at DESC NULLS LAST, id DESC LIMIT 1)
    SELECT date_trunc('milliseconds', statement_timestamp()) AS now, last.id::text AS last_id, last.last_used_at,
      listed.size, listed.accounts
    FROM last, (
      SELECT count(*)::integer AS size, string_agg(
        concat(s.id, ',', ${instant(Prisma.sql`s.last_used_at`)}, ','${blocksOf(wanted)}), '') AS accounts
      FROM (SELECT * FROM page ORDER BY id OFFSET 0) s) listed`;
  return page;
}

/** Whole milliseconds; the fraction of seconds only comes close to them. */
const instant = (column: SqlPart): SqlPart => Prisma.sql`(date_part('epoch', ${column}) * 1000)::bigint`;

/**
 * A block for each window, then for each counter; it is empty where there is no row. They are subqueries, so that each row is
 * looked up by its key, however many the planner takes the table to have.
 */
function blocksOf({ windows, counters }: UsageWanted): SqlPart {
  const blocks = [
    ...windows.map(
      ({ action, hourlyLimit }) => Prisma.sql`, (
        SELECT concat(w.day, ',', w.day_count, ',', w.burst_count, ',', ${instant(Prisma.sql`w.last_action_at`)}, ',',
          ${instant(Prisma.sql`w.recent[cardinality(w.recent) - ${hourlyLimit}::integer + 1]`)}, ',')
        FROM usage_windows w WHERE w.account_id = s.id AND w.action_type = ${action}), ';'`,
    ),
    ...counters.map(
      ({ action, channel }) => Prisma.sql`, (
        SELECT concat(c.day, ',', c.day_count, ',', c.total, ',') FROM channel_usage c
        WHERE c.account_id = s.id AND c.channel = ${channel} AND c.action_type = ${action}), ';'`,
    ),
  ];
  return blocks.length === 0 ? Prisma.empty : Prisma.join(blocks, '');
}

const COMMA = ','.charCodeAt(0);
const BLOCK_END = ';'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Splitting the text into lines and fields took twice as long as judging the accounts. */
function* readAccounts(
  text: string,
  { windows, counters }: UsageWanted,
  blocks: Listing['blocks'],
): Generator<FreeAccount> {
  let at = 0;
  function readText(): string {
    const from = at;
    at = text.indexOf(',', from) + 1;
    return text.slice(from, at - 1);
  }
  /** Null: the field is empty. */
  function readNumber(): number | null {
    const from = at;
    let value = 0;
    for (let code = text.charCodeAt(at); code !== COMMA; code = text.charCodeAt(at)) {
      value = value * 10 + code - ZERO;
      at += 1;
    }
    at += 1;
    return at - from === 1 ? null : value;
  }
  /** Null: the block is empty. */
  function readBlock<T>(read: () => T): T | null {
    const block = text.charCodeAt(at) === BLOCK_END ? null : read();
    at += 1;
    return block;
  }
  const readDay = () => readText() || null;
  const readWindow = (): WindowBounds => ({
    day: readDay(),
    dayCount: readNumber() ?? 0,
    burstCount: readNumber() ?? 0,
    lastActionAt: readNumber(),
    hourFilledAt: readNumber(),
  });
  const readCounter = (): ChannelUsage => ({ day: readDay(), dayCount: readNumber() ?? 0, total: readNumber() ?? 0 });

  while (at < text.length) {
    const accountId = readText();
    const lastUsedAt = readNumber();
    const lastBlockEndedAt = blocks.get(accountId) ?? null;
    const account: FreeAccount = { accountId, lastUsedAt, lastBlockEndedAt, windows: {}, channels: NO_CHANNELS };
    for (const { action } of windows) {
      const window = readBlock(readWindow);
      if (window !== null) account.windows[action] = window;
    }
    for (const { action, channel } of counters) {
      const usage = readBlock(readCounter);
      if (usage !== null) account.channels = new Map([...account.channels, [channelKey(action, channel), usage]]);
    }
    yield account;
  }
}

const NO_CHANNELS: ReadonlyMap<string, ChannelUsage> = new Map();
