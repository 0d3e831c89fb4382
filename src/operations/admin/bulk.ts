import { MAX_BULK } from '../../../contracts/fleet-work.js';
import type { RequestBody } from '../../../contracts/operations.js';
import { changeByOperator } from '../../accounts/change-by-operator.js';
import { finishWork } from '../../accounts/finish-work.js';
import { beginWork, loadWork } from '../../accounts/load-work.js';
import type { UnitOfWork } from '../../accounts/unit-of-work.js';
import { applyOperatorStatus, recoverNow } from '../../decide/condition/transition-account.js';
import type { AcceptedRequest, OperationHandler, Outcome, Resources } from '../../requests/handler.js';
import { refuse, refuseInvalid } from '../../requests/refuse.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { type AccountMatch, ANY_ACCOUNT, matchAccounts } from '../../store/accounts/match-accounts.js';
import { classifyDatabaseFault, type Database } from '../../store/database.js';
import type { Log } from '../../telemetry/log.js';
import { forceFromHolder } from './force-release.js';

type Request = AcceptedRequest<'admin.bulk'>;
type Body = RequestBody<'admin.bulk'>;
type Answer = Outcome<'admin.bulk'>['reply'];
type Failed = Extract<Answer, { success: true }>['failed'];

/** So few are locked at a time that nobody waits long for one of them. */
const CHUNK = 100;

export interface BulkContext extends Resources {
  database: Database;
  log: Log;
}

/**
 * `admin.bulk`: answers what was done chunk by chunk. That takes longer than a transaction may, so the first time a
 * request is asked it is only looked up whether it was answered before.
 */
export const bulk: OperationHandler<'admin.bulk'> = {
  handle: (_context, requests) =>
    Promise.resolve(
      requests.map(({ body, done }) =>
        done === undefined
          ? { reply: refuse('UNAVAILABLE'), deferred: true }
          : { reply: done, log: { action: body.action, dry_run: body.dry_run, reason: body.reason } },
      ),
    ),
};

/**
 * Finds the accounts that match and does to each what is asked. A repeat after a crash goes through them once more: what
 * was done already is unchanged then. Where the database goes away in between, the rest has failed as `UNAVAILABLE`.
 */
export async function workInBulk(context: BulkContext, request: Request): Promise<Answer> {
  const { body, caller } = request;
  const seen = context.access.usersOf(caller);
  const { user_id: userId } = body.filter;
  if (userId !== undefined && seen !== '*' && !seen.has(userId)) {
    const message = "filter.user_id: is not among the caller's users";
    return refuse('FORBIDDEN', { message, details: { issues: [{ path: 'filter.user_id', message }] } });
  }
  const users = userId !== undefined ? [userId] : seen === '*' ? null : [...seen];
  const ids = await matchAccounts(context.database.reader, toMatch(body, users), { limit: MAX_BULK + 1 });
  if (ids.length > MAX_BULK) {
    return refuseInvalid([{ path: 'filter', message: `matches more than ${MAX_BULK} accounts; narrow it down` }]);
  }
  if (body.expected_count !== undefined && body.expected_count !== ids.length) {
    const match = ids.length === 1 ? '1 account matches' : `${ids.length} accounts match`;
    const message = `expected_count: ${match}, not ${body.expected_count}; nothing was done`;
    return refuse('COUNT_CHANGED', { message, details: { matched: ids.length } });
  }
  return { success: true, matched: ids.length, ...(await workOn(context, ids, request)) };
}

const toMatch = ({ filter }: Body, users: number[] | null): AccountMatch => ({
  ...ANY_ACCOUNT,
  users,
  status: filter.status ?? null,
  disabledReason: filter.disabled_reason ?? null,
  leasedBy: filter.leased_by ?? null,
  accountIds: filter.account_ids ?? null,
});

async function workOn(context: BulkContext, ids: readonly string[], request: Request) {
  const failed: Failed = [];
  let changed = 0;
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    try {
      changed += await workOnChunk(context, chunk, request, failed);
    } catch (error) {
      context.log.warn('accounts not worked on', { operation: 'admin.bulk', accounts: chunk.length, error });
      // Nothing of it stands. One that another transaction keeps must not keep back its neighbours.
      if (classifyDatabaseFault(error) === 'unavailable') {
        failed.push(...ids.slice(from).map((id) => ({ account_id: id, code: 'UNAVAILABLE' as const })));
        break;
      }
      changed += await workOneByOne(context, chunk, request, failed);
    }
  }
  return { changed, unchanged: ids.length - changed - failed.length, failed };
}

async function workOneByOne(context: BulkContext, ids: readonly string[], request: Request, failed: Failed) {
  let changed = 0;
  for (const id of ids) {
    try {
      changed += await workOnChunk(context, [id], request, failed);
    } catch (error) {
      const isDefect = classifyDatabaseFault(error) === 'defect';
      if (isDefect) context.log.error('account not worked on', { operation: 'admin.bulk', account_id: id, error });
      failed.push({ account_id: id, code: isDefect ? 'INTERNAL' : 'UNAVAILABLE' });
    }
  }
  return changed;
}

/** Works on accounts in one transaction; answers how many have changed. */
async function workOnChunk(
  context: BulkContext,
  ids: readonly string[],
  request: Request,
  failed: Failed,
): Promise<number> {
  if (request.body.dry_run)
    return decide(await loadWork(context.database.reader, { accountIds: ids, channels: [] }), ids, request, failed);
  const gone: Failed = [];
  const changed = await context.database.transaction(async (sql, hooks) => {
    const work = await beginWork(sql, ids, []);
    const changedHere = decide(work, ids, request, gone);
    await finishWork({ ...context, ...hooks, sql }, work);
    return changedHere;
  });
  failed.push(...gone);
  return changed;
}

function decide(work: UnitOfWork, ids: readonly string[], request: Request, failed: Failed): number {
  let changed = 0;
  for (const id of ids) {
    const account = work.accounts.get(id);
    if (account === undefined) failed.push({ account_id: id, code: 'ACCOUNT_NOT_FOUND' });
    else if (act(work, account, request)) changed += 1;
  }
  return changed;
}

/** Does to an account what is asked; answers whether that has changed it. */
function act(work: UnitOfWork, account: AccountRecord, request: Request): boolean {
  const { action, reason } = request.body;
  const { condition } = account;
  const take = (next: typeof condition) => changeByOperator(work, account, next, { reason }, request).changed;
  switch (action) {
    case 'recover':
      return take(recoverNow(condition, { force: false }, work.now));
    case 'activate':
      return take(applyOperatorStatus(condition, 'active', { force: false }, work.now));
    case 'drain':
      return take(applyOperatorStatus(condition, 'draining', { force: false }, work.now));
    case 'disable':
      return take(applyOperatorStatus(condition, 'disabled', { force: false }, work.now));
    case 'force-release':
      return forceFromHolder(work, account, reason, request) !== null;
    default:
      return action satisfies never;
  }
}
