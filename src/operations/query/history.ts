import type { HistoryEntry, HistoryType } from '../../../contracts/history.js';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import { toIso } from '../../clock.js';
import type { Sql } from '../../store/database.js';
import { loadAccountUsers } from '../../store/accounts/load-account-users.js';
import { type EntryKind, type HistoryPlace, type HistoryRow, loadHistory } from '../../store/history/load-history.js';
import type { OperationHandler, Outcome } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';

/** A page of one type is looked for among this many entries at most, then handed out as it is. */
const MAX_LOOKED_AT = 1_000;
const EVERY_KIND: EntryKind[] = ['event', 'action', 'error'];

/** `query.history`: everything that was done to an account and by whom, the newest first. */
export const history: OperationHandler<'query.history'> = {
  handle: async ({ sql }, requests) => {
    const outcomes: Outcome<'query.history'>[] = [];
    for (const { body } of requests) {
      const userId = (await loadAccountUsers(sql, [body.account_id])).get(body.account_id);
      outcomes.push(
        userId === undefined
          ? { reply: refuse('ACCOUNT_NOT_FOUND') }
          : { reply: { success: true, ...(await loadPage(sql, body)) }, log: { user_id: userId } },
      );
    }
    return outcomes;
  },
};

async function loadPage(sql: Sql, body: RequestBody<'query.history'>): Promise<ReplyBody<'query.history'>> {
  const { account_id: accountId, type, limit, cursor } = body;
  // One more than fits tells whether a page follows.
  const wanted = type === undefined ? limit + 1 : MAX_LOOKED_AT;
  const before = cursor === undefined ? null : readCursor(cursor);
  const rows = await loadHistory(sql, { accountId, kinds: kindsOf(type), before, limit: wanted });
  const found = rows.filter((row) => type === undefined || row.type === type);
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : rows.length === wanted ? rows.at(-1) : undefined;
  return {
    account_id: accountId,
    entries: page.map(describe),
    next_cursor: last === undefined ? null : toCursor(last),
  };
}

const kindsOf = (type: HistoryType | undefined): EntryKind[] => {
  if (type === undefined) return EVERY_KIND;
  if (type === 'error.reported') return ['error'];
  return [type.startsWith('action.') ? 'action' : 'event'];
};

const toCursor = ({ sequence, at, kind, number }: HistoryPlace): string => [sequence, at, kind, number].join('.');

const readCursor = (cursor: string): HistoryPlace => {
  const [sequence = 0, at = 0, kind = 0, number = 0] = cursor.split('.').map(Number);
  return { sequence, at, kind, number };
};

function describe({ sequence, at, type, serviceName, caller, requestId, details }: HistoryRow): HistoryEntry {
  const { service_name: named, lease_id: leaseId, reason, limits_left: limitsLeft, ...rest } = details;
  return {
    type: type as HistoryType,
    sequence,
    occurred_at: toIso(at),
    service_name: (serviceName ?? named ?? null) as string | null,
    caller,
    reason: (reason ?? null) as string | null,
    request_id: requestId,
    lease_id: (leaseId ?? null) as string | null,
    limits_left: limitsLeft ?? null,
    details: rest,
  };
}
