import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../clock.js';
import type { IncomingRequest } from './request.js';
import type { BatchAnswer, BatchItem } from './batch-items.js';
import type { Place, WaitingRoom } from './waiting-room.js';

/**
 * An allocation passes over what a neighbouring transaction has locked: a job's chunk, a late report. Where nothing
 * else was free it asks again after these pauses, for such locks are short.
 */
const CONTENDED_PAUSES_MS = [5, 10, 20, 40, 80];

/** Others may take the accounts that a look has found: so often it is looked again. */
const MAX_SEARCHES = 5;

/** A waiting allocation asks again this often even if nothing wakes it: a wake-up may be lost with a connection. */
const MAX_PAUSE_MS = 2_000;
/** Its deadline is the database's to judge, whose clock may be a little behind: it is then asked again after this. */
const MIN_PAUSE_MS = 20;

/** A caller that was there so long ago is not asked after before its next request; before a grant out of the line it is. */
const THERE_MS = 1_000;
/** An end that has passed by any rising clock: the request has no effect any more, but one that it had is found. */
const OVER = 0;

/**
 * Asks again for an account: soon where only a lock was in the way, and whenever one of the user's may have become free
 * until `wait_ms` or the time to the deadline is over, or the caller has gone, since an account would be lost on it. One
 * that has gone before it is asked for at all gets `DEADLINE_EXCEEDED`.
 * Those who wait for the user's accounts ask before those who come later.
 */
export async function allocateWithin(
  ask: (item: BatchItem) => Promise<BatchAnswer>,
  waitingRoom: WaitingRoom,
  item: BatchItem<'account.allocate'>,
  { gone, hasGone }: Pick<IncomingRequest, 'gone' | 'hasGone'>,
): Promise<BatchAnswer> {
  const { user_id: userId, service_name: service, wait_ms: waitMs } = item.body;
  const giveUpAt = clock.monotonicMs() + waitMs;
  // It may have lain in a queue that nobody served for longer than its caller waited.
  if (waitMs > 0 && (await hasGone?.(THERE_MS)) === true) return ask({ ...item, expiresAt: OVER });
  let mayHavePlace = true;
  let place: Place | null = null;
  let found: readonly string[] = [];
  try {
    for (let tries = 0; ; tries++) {
      if (place === null) await waitingRoom.comeBehind(userId);
      const leftMs = mayHavePlace ? giveUpAt - clock.monotonicMs() : 0;
      const waitsForMs = leftMs > 0 ? Math.max(MIN_PAUSE_MS, Math.min(leftMs, timeLeft(item))) : 0;
      const contendedPauseMs = CONTENDED_PAUSES_MS[tries];
      const answer = await ask({ ...item, found, waitsForMs, mayAskAgain: contendedPauseMs !== undefined });
      if (!answer.deferred || gone?.aborted === true) return answer;
      if (answer.search !== undefined) {
        if (tries >= MAX_SEARCHES) return answer;
        found = await answer.search().catch(() => []);
        continue;
      }
      if (leftMs <= 0) {
        // A twin under the same message id waits, and there is no place for this one: it is told what the twin gets.
        await pause(contendedPauseMs ?? MAX_PAUSE_MS);
        continue;
      }
      place ??= waitingRoom.enter({
        userId,
        caller: item.caller ?? service,
        gone,
        hasGone: hasGone && (() => hasGone(0)),
      });
      if (place === null) {
        mayHavePlace = false;
        continue;
      }
      const askAgainMs = answer.reply.success ? MAX_PAUSE_MS : (answer.reply.error.retry_after_ms ?? MAX_PAUSE_MS);
      const turn = await place.wait(Math.min(waitsForMs, askAgainMs, MAX_PAUSE_MS));
      if (turn === 'gone') return answer;
      if (turn === 'closed') mayHavePlace = false;
    }
  } finally {
    place?.leave();
  }
}

/** Milliseconds until the caller no longer waits. */
const timeLeft = ({ deadlineAt, expiresAt }: BatchItem): number =>
  Math.min(
    (deadlineAt ?? Number.POSITIVE_INFINITY) - clock.now(),
    (expiresAt ?? Number.POSITIVE_INFINITY) - clock.monotonicMs(),
  );
