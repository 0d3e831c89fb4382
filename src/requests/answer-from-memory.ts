import type { Recollected } from '../accounts/recollect.js';
import { NEEDS_LOCKS } from '../accounts/unit-of-work.js';
import { insertAnsweredRequests } from '../store/history/answered-requests.js';
import { withHooks } from '../store/commit-hooks.js';
import { classifyDatabaseFault, isStale } from '../store/database.js';
import { guardedStatement, type Written } from '../store/guarded-write.js';
import { gatherWrites } from '../store/writes.js';
import {
  answersToStore,
  type BatchAnswer,
  type BatchItem,
  type BatchRunner,
  isLate,
  type KeyedItem,
  toAnswer,
  toKeyed,
  zip,
} from './batch-items.js';
import type { Lane } from './handlers.js';

/**
 * Answers a batch on what this process remembers of its accounts: nothing is locked, what is not remembered is read, and
 * one statement writes everything where all is still as the batch was decided on. That statement fails as a whole where
 * something has changed, and where a request was answered before, since its answer is stored already.
 *
 * `locks`: nothing was done, the batch needs locks. `undecided`: the database went away at the write.
 */
export async function answerFromMemory(
  { database, resources, log }: BatchRunner,
  { handler }: Lane,
  items: readonly BatchItem[],
  onDecided: () => void,
): Promise<BatchAnswer[] | 'locks' | 'undecided'> {
  const { recollect } = handler;
  const { memory, metrics, recentEvents } = resources;
  const keyed = items.map(toKeyed);
  const hasRepeat = new Set(keyed.map(({ key }) => key)).size < keyed.length;
  if (recollect === undefined || hasRepeat || !memory.isTrusted()) return 'locks';
  /** How far it has come. */
  const progress: { isWriting: boolean; recollected?: Pick<Recollected, 'dismiss'> } = { isWriting: false };
  try {
    return await withHooks(
      async (hooks) => {
        const { pending, writeWithAnswers } = gatherWrites();
        const context = { ...resources, ...hooks, log, sql: database.unlocked.sql, writeWithAnswers };
        const recollected = await recollect(context, items);
        if (recollected === null) throw NEEDS_LOCKS;
        progress.recollected = recollected;
        const { now } = recollected.work;
        // One that comes too late may have been answered before, which only its stored answer tells.
        if (items.some((item) => isLate(item, now))) throw NEEDS_LOCKS;
        const outcomes = await handler.handle(context, items, recollected);
        const handled = new Map<KeyedItem, (typeof outcomes)[number]>(zip(keyed, outcomes));
        const answers = answersToStore(handled);
        if (answers.length > 0) pending.parts.push(insertAnsweredRequests(answers, now));
        onDecided();
        progress.isWriting = true;
        const written = await database.unlocked.write<Written>(
          guardedStatement(pending, { ...recollected.guard(), deadline: earliestDeadline(items) }),
          items.map(({ traceparent }) => traceparent),
        );
        // Behind what else follows the write, so that no other batch changes the accounts before.
        hooks.afterCommit(() => recollected.remember(written));
        hooks.afterCommit(() =>
          recentEvents.keep(written.events?.split(',') ?? [], recollected.work.changes.events, recollected.work.now),
        );
        hooks.afterCommit(() => metrics.memoryBatches.inc({ outcome: 'written' }));
        return keyed.map((entry) => toAnswer(entry.item, handled.get(entry)));
      },
      { waits: false },
    );
  } catch (error) {
    if (error === NEEDS_LOCKS) {
      metrics.memoryBatches.inc({ outcome: 'locks' });
      return 'locks';
    }
    const fault = classifyDatabaseFault(error);
    const stale = isStale(error);
    metrics.memoryBatches.inc({ outcome: stale ? 'stale' : 'locks' });
    log.debug('not written from memory', { requests: items.length, fault, error });
    // A request that was answered before and an account that somebody keeps say nothing of what is remembered.
    if (stale || fault === 'unavailable' || fault === 'undecided') {
      progress.recollected?.dismiss();
      memory.failed();
    }
    return progress.isWriting && fault === 'undecided' ? 'undecided' : 'locks';
  }
}

const earliestDeadline = (items: readonly BatchItem[]): number =>
  Math.min(...items.map(({ deadlineAt }) => deadlineAt ?? Number.POSITIVE_INFINITY));
