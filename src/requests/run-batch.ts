import { randomUUID } from 'node:crypto';
import { insertAnsweredRequests, loadAnsweredRequests, requestKey } from '../store/history/answered-requests.js';
import { classifyDatabaseFault, type Database, type TransactionSql } from '../store/database.js';
import { withHooks } from '../store/commit-hooks.js';
import { gatherWrites, toStatement, type Writes } from '../store/writes.js';
import type { Log } from '../telemetry/log.js';
import type { FailPoint } from './fail-point.js';
import {
  answersToStore,
  type BatchAnswer,
  type BatchItem,
  type BatchRunner,
  isLate,
  type KeyedItem,
  plain,
  toAnswer,
  toKeyed,
  zip,
} from './batch-items.js';
import type { BatchContext } from './handler.js';
import type { Lane } from './handlers.js';
import { refuse } from './refuse.js';
import type { Reply } from './request.js';

/** Serialization conflicts are transient by nature; more tries than this mean something else is wrong. */
const CONFLICT_TRIES = 8;

/** How long a batch waits for a database that went away at its commit, before its callers are told of the doubt. */
const UNDECIDED_WAIT_MS = 5_000;

/** The batch has waited for a lock; which item it was for is found without waiting for it once more. */
const LOCK_FOUND_MS = 50;

/** State that an earlier try leaves to the next. */
interface Earlier {
  /** It may stand. */
  inDoubt?: boolean;
  /** How long to wait for a lock, milliseconds. */
  lockWaitMs?: number | undefined;
}

/** Says that every request of the batch has come to a point. */
function reachEach({ reach }: Pick<BatchRunner, 'reach'>, items: readonly BatchItem[], point: FailPoint): void {
  if (reach === undefined) return;
  for (const { operation, messageId } of items) reach(point, operation, messageId);
}

/**
 * Answers a batch on what this process remembers, without a lock, where that is possible and turns out to have been
 * right; else under locks.
 */
export async function runBatch(runner: BatchRunner, lane: Lane, items: readonly BatchItem[]): Promise<BatchAnswer[]> {
  const reachAll = (point: FailPoint): void => reachEach(runner, items, point);
  const outcome = (await lane.answerUnlocked?.(runner, items, () => reachAll('before-commit'))) ?? 'locks';
  if (Array.isArray(outcome)) {
    reachAll('after-commit');
    return outcome;
  }
  if (outcome === 'undecided' && !(await isBackSoon(runner.database))) return items.map(() => IN_DOUBT);
  return runUnderLocks(runner, lane, items, { inDoubt: outcome === 'undecided' });
}

/**
 * Answers a batch in one transaction. A conflict is tried again in place; when the database is away every item is
 * answered `UNAVAILABLE`; when the batch fails for another reason its items are run one by one, so that the one at
 * fault is answered `INTERNAL` alone, and `UNAVAILABLE` the one whose account another transaction keeps. A batch whose
 * commit is in doubt is run again once the database is back: the stored answers are found where it stood, and made now
 * where it did not.
 */
async function runUnderLocks(
  runner: BatchRunner,
  lane: Lane,
  items: readonly BatchItem[],
  { inDoubt = false, lockWaitMs }: Earlier,
): Promise<BatchAnswer[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await runOnce(runner, lane, items, lockWaitMs);
    } catch (error) {
      const fault = classifyDatabaseFault(error);
      if (fault === 'unavailable' || fault === 'undecided') {
        // Told by the outbox relay, once for all who meet it.
        runner.log.debug('database unavailable', { lane: lane.name, requests: items.length, fault, error });
        inDoubt ||= fault === 'undecided';
        if (inDoubt && tries < CONFLICT_TRIES && (await isBackSoon(runner.database))) continue;
        return items.map(() => (inDoubt ? IN_DOUBT : UNAVAILABLE));
      }
      if (fault === 'conflict' && tries < CONFLICT_TRIES) continue;
      if (items.length > 1) {
        const alone = { inDoubt, lockWaitMs: fault === 'locked' ? LOCK_FOUND_MS : lockWaitMs };
        return runOneByOne(runner, lane, items, alone);
      }
      return items.map((item) => {
        const { operation, requestId } = item;
        if (fault !== 'locked') return answerDefect(runner.log, operation, item, error);
        runner.log.warn('account kept by another transaction', { operation, request_id: requestId });
        return inDoubt ? IN_DOUBT : KEPT;
      });
    }
  }
}

async function runOneByOne(
  runner: BatchRunner,
  lane: Lane,
  items: readonly BatchItem[],
  earlier: Earlier,
): Promise<BatchAnswer[]> {
  const answers: BatchAnswer[] = [];
  for (const item of items) answers.push(...(await runUnderLocks(runner, lane, [item], earlier)));
  return answers;
}

/** The answer where the database has failed a request outside a batch's own tries. */
export function answerFault(log: Log, operation: string, item: { requestId: string }, error: unknown): BatchAnswer {
  return classifyDatabaseFault(error) === 'unavailable' ? UNAVAILABLE : answerDefect(log, operation, item, error);
}

const isBackSoon = (database: Database): Promise<boolean> =>
  database.waitUntilAvailable(AbortSignal.timeout(UNDECIDED_WAIT_MS)).then(
    () => true,
    () => false,
  );

function answerDefect(log: Log, operation: string, item: { requestId: string }, error: unknown): BatchAnswer {
  const errorId = randomUUID();
  log.error('request failed', { operation, request_id: item.requestId, error_id: errorId, error });
  return plain(refuse('INTERNAL', { details: { error_id: errorId } }));
}

const UNAVAILABLE = plain(refuse('UNAVAILABLE', { message: 'the database is unavailable; nothing was changed' }));
const KEPT = plain(
  refuse('UNAVAILABLE', { message: 'another transaction of the database keeps the account; nothing was changed' }),
);
/** A caller who hears of the doubt learns the outcome by repeating the request. */
const IN_DOUBT = plain(
  refuse('UNAVAILABLE', {
    message: 'the database went away at the commit: whether this was done is told to a repeat of the request',
    details: { outcome: 'unknown' },
  }),
);

async function runOnce(
  { database, resources, log, reach }: BatchRunner,
  lane: Lane,
  items: readonly BatchItem[],
  lockWaitMs: number | undefined,
): Promise<BatchAnswer[]> {
  const reachAll = (point: FailPoint): void => reachEach({ reach }, items, point);
  const answers = lane.changesState
    ? await answerInTransaction({ database, resources, log }, lane, items, lockWaitMs, () => reachAll('before-commit'))
    : await withHooks(
        (hooks) =>
          answerReads(
            { ...resources, ...hooks, log, sql: database.reader, writeWithAnswers: refuseToWrite },
            lane,
            items,
          ),
        { waits: false },
      );
  reachAll('after-commit');
  return answers;
}

function answerInTransaction(
  { database, resources, log }: BatchRunner,
  lane: Lane,
  items: readonly BatchItem[],
  lockWaitMs: number | undefined,
  onDecided: () => void,
): Promise<BatchAnswer[]> {
  const { pending, writeWithAnswers } = gatherWrites();
  return database.transaction(
    async (sql, hooks) => {
      const context = { ...resources, ...hooks, log, sql, writeWithAnswers };
      const answers = await answerOnce(context, sql, pending, lane, items);
      onDecided();
      return answers;
    },
    // Replies do not wait for what follows a commit.
    { traceparents: items.map(({ traceparent }) => traceparent), lockWaitMs, waits: false },
  );
}

function refuseToWrite(): never {
  throw new Error('a batch of reads has something to write');
}

async function answerReads(
  context: BatchContext,
  { handler }: Lane,
  items: readonly BatchItem[],
): Promise<BatchAnswer[]> {
  // Only a deadline needs the database's clock, which costs a round trip.
  const hasDeadline = items.some(({ deadlineAt }) => deadlineAt !== null);
  const now = hasDeadline ? (await loadAnsweredRequests(context.sql, [])).now : Number.NEGATIVE_INFINITY;
  const inTime = items.filter((item) => !isLate(item, now));
  const outcomes = new Map(zip(inTime, inTime.length === 0 ? [] : await handler.handle(context, inTime, undefined)));
  return items.map((item) => toAnswer(item, outcomes.get(item)));
}

/** In one transaction: what was answered before is answered the same; the rest is handled, and its answers stored. */
async function answerOnce(
  context: BatchContext,
  sql: TransactionSql,
  pending: Writes,
  { handler }: Lane,
  items: readonly BatchItem[],
): Promise<BatchAnswer[]> {
  const keyed = items.map(toKeyed);
  const [{ now, answered }, prepared] = await Promise.all([
    loadAnsweredRequests(context.sql, keyed, handler.locks?.(items)),
    handler.prepare?.(context, items),
  ]);

  // The same message_id twice in one batch is one request: the first is handled, the others repeat it.
  const first = new Map<string, KeyedItem>();
  for (const entry of keyed) {
    if (!answered.has(entry.key) && !first.has(entry.key) && !isLate(entry.item, now)) first.set(entry.key, entry);
  }
  const fresh = [...first.values()];
  const outcomes =
    fresh.length === 0
      ? []
      : await handler.handle(
          context,
          fresh.map((entry) => entry.item),
          prepared,
        );
  const handled = new Map(zip(fresh, outcomes));
  const answers = answersToStore(handled);
  if (answers.length > 0) pending.parts.push(insertAnsweredRequests(answers, now));

  for (const answer of answers) answered.set(requestKey(answer), answer);
  const repeats = keyed.filter((entry) => !handled.has(entry) && answered.get(entry.key)?.bodyHash === entry.bodyHash);
  // A recalled account may have been granted just now.
  if (pending.parts.length > 0 && repeats.length > 0) await sql.$executeRaw(toStatement(pending));
  else if (pending.parts.length > 0) sql.sendWithCommit(toStatement(pending));
  const replies = await recall(
    context,
    handler,
    repeats.map(({ item, key }) => ({
      operation: item.operation,
      requestKey: key,
      body: item.body,
      stored: answered.get(key)?.reply ?? {},
    })),
  );
  const recalled = new Map(zip(repeats, replies));

  return keyed.map((entry): BatchAnswer => {
    const outcome = handled.get(entry);
    if (outcome !== undefined) return toAnswer(entry.item, outcome);
    const reply = recalled.get(entry);
    if (reply !== undefined) return { reply: reply as Reply, repeated: true, deferred: false, log: {} };
    // Neither answered nor in conflict: late, or the repeat of a request that is deferred.
    if (!answered.has(entry.key)) return toAnswer(entry.item, handled.get(first.get(entry.key) ?? entry));
    return plain(
      refuse('IDEMPOTENCY_CONFLICT', { message: 'message_id: came before with a different body or operation' }),
    );
  });
}

async function recall(
  context: BatchContext,
  handler: Lane['handler'],
  repeats: Parameters<NonNullable<Lane['handler']['recall']>>[1],
): Promise<Record<string, unknown>[]> {
  if (repeats.length === 0 || handler.recall === undefined) return repeats.map((repeat) => repeat.stored);
  return handler.recall(context, repeats);
}
