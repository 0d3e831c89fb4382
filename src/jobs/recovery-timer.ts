import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../clock.js';
import type { RecoveryQueue } from '../redis/recovery-queue.js';
import { loadNextRecovery, loadRecoveries, loadRecoveriesOf } from '../store/accounts/load-recoveries.js';
import { lockEndedWaits } from '../store/accounts/lock-ended.js';
import { classifyDatabaseFault } from '../store/database.js';
import { settleEnded, type SettlingContext } from './settle-ended.js';

export interface RecoveryTimerOptions extends SettlingContext {
  recoveryQueue: RecoveryQueue;
  /** How many accounts became active again. */
  onRecovered: (accounts: number) => void;
}

export interface RecoveryTimer {
  start: () => void;
  /** Ends after the accounts in hand. */
  stop: () => Promise<void>;
}

/** The next instant is looked up at least this often: another instance may have begun an earlier wait. */
const LOOK_MS = 1_000;
/** Between two looks at what is due and cannot be had, such as an account that a request holds. */
const RETRY_MS = 100;
/** Between two chunks; on a busy machine a chunk takes longer, and what is due must not wait for it twice. */
const MAX_REST_MS = 25;
/** Accounts of one transaction: few, so that a request on one of them hardly waits. */
const CHUNK = 100;
/**
 * How often the queue is compared with the truth, and how far ahead. A wait lasts a minute at least, so one whose
 * entry was lost on its way to Redis is found before it ends.
 */
const COMPARE_MS = 30_000;
const COMPARE_AHEAD_MS = 90_000;
/** What a reading of the database's clock loses in worth with every one that was not better. */
const CLOCK_AGES_MS = 20;

/**
 * Ends waits at their instant: sleeps until the first one is over, ends what is over chunk by chunk, in order, and rests
 * a moment between two chunks, so that requests get their turn. Every instance has one; they share the work,
 * since none waits for what another has locked. The instants come from the queue in Redis, without it from the database.
 */
export function createRecoveryTimer({ onRecovered, ...context }: RecoveryTimerOptions): RecoveryTimer {
  const { database, recoveryQueue: queue, log } = context;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  let filling: Promise<void> | null = null;
  /** How far the database's clock is ahead of this machine's rising one, which nobody sets, milliseconds. */
  let aheadMs = 0;
  /** How long the answer took that told so: by so much at most it is too little. */
  let aheadWithinMs = Number.POSITIVE_INFINITY;
  let comparedAt = Number.NEGATIVE_INFINITY;
  const databaseNow = (): number => clock.monotonicMs() + aheadMs;

  /** A database that is away is told by the outbox relay. */
  const tell = (what: string, error: unknown): void =>
    log[classifyDatabaseFault(error) === 'unavailable' ? 'debug' : 'warn'](what, { error });

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let restMs: number;
      try {
        restMs = await work();
      } catch (error) {
        tell('recoveries not looked at', error);
        restMs = LOOK_MS;
      }
      await pause(restMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** Ends some of what is over; answers how long there is nothing to do. */
  async function work(): Promise<number> {
    const dueAt = await nextDueAt();
    const untilDue = dueAt === null ? LOOK_MS : dueAt - databaseNow();
    if (untilDue > 0) return Math.min(untilDue, LOOK_MS);

    const startedAt = clock.monotonicMs();
    const { accounts, recovered } = await settleEnded(context, (sql) => lockEndedWaits(sql, CHUNK));
    if (recovered > 0) onRecovered(recovered);
    if (accounts > 0) return Math.min(clock.monotonicMs() - startedAt, MAX_REST_MS);
    await correct();
    return RETRY_MS;
  }

  async function nextDueAt(): Promise<number | null> {
    const state = await queue.state();
    const isCompared = clock.monotonicMs() - comparedAt < COMPARE_MS;
    if (state.kind === 'whole' && isCompared) return state.nextDueAt;
    if (state.kind === 'lost' || !isCompared) fill(state.kind === 'lost');
    const askedAt = clock.monotonicMs();
    const { now, dueAt } = await loadNextRecovery(database.reader);
    noteClock(now, askedAt);
    return dueAt;
  }

  /** A slow answer tells what time it was a while ago: what a quicker one has told is better, for some time. */
  function noteClock(now: number, askedAt: number): void {
    const answeredAt = clock.monotonicMs();
    if (answeredAt - askedAt > aheadWithinMs) {
      aheadWithinMs += CLOCK_AGES_MS;
      return;
    }
    aheadMs = now - answeredAt;
    aheadWithinMs = answeredAt - askedAt;
  }

  /** Beside the looks: of a large fleet it takes a while, and what is due meanwhile does not wait for it. */
  function fill(isLost: boolean): void {
    if (filling !== null) return;
    comparedAt = clock.monotonicMs();
    filling = (isLost ? fillLost() : compare())
      .catch((error: unknown) => tell('due recoveries not compared', error))
      .finally(() => (filling = null));
  }

  async function fillLost(): Promise<void> {
    const recoveries = await queue.fill(loadRecoveries(database.reader));
    log.debug('queue of recoveries filled', { recoveries });
  }

  async function compare(): Promise<void> {
    for await (const page of loadRecoveries(database.reader, COMPARE_AHEAD_MS)) if (!(await queue.put(page))) return;
  }

  /** Nothing was over though the queue said so: what it said is replaced by the truth. */
  async function correct(): Promise<void> {
    const claimed = await queue.due(databaseNow(), CHUNK);
    if (claimed.length > 0) await queue.put(await loadRecoveriesOf(database.reader, claimed));
  }

  return {
    start: () => {
      running ??= run();
    },
    stop: async () => {
      stopping.abort();
      await running;
      await filling;
    },
  };
}
