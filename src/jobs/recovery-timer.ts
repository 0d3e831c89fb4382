import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../clock.js';
import type { RecoveryQueue } from '../redis/recovery-queue.js';
import { loadNextRecovery } from '../store/accounts/load-recoveries.js';
import { lockEndedWaits } from '../store/accounts/lock-ended.js';
import { classifyDatabaseFault } from '../store/database.js';
import { alignRecoveryQueue } from './align-recovery-queue.js';
import { createDatabaseClock } from './database-clock.js';
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
 * Ends waits at their instant: sleeps until the first one is over, ends what is over chunk by chunk, in order, and rests
 * a moment between two chunks, so that requests get their turn. Every instance has one; they share the work,
 * since none waits for what another has locked. The instants come from the queue in Redis, without it from the database.
 */
export function createRecoveryTimer({ onRecovered, ...context }: RecoveryTimerOptions): RecoveryTimer {
  const { database, recoveryQueue: queue, log } = context;
  const stopping = new AbortController();
  const databaseClock = createDatabaseClock();
  let running: Promise<void> | null = null;

  /** A database that is away is told by the outbox relay. */
  const tell = (what: string, error: unknown): void =>
    log[classifyDatabaseFault(error) === 'unavailable' ? 'debug' : 'warn'](what, { error });
  const alignment = alignRecoveryQueue({
    database,
    recoveryQueue: queue,
    log,
    onFault: (error) => tell('due recoveries not compared', error),
  });

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
    const untilDue = dueAt === null ? LOOK_MS : dueAt - databaseClock.now();
    if (untilDue > 0) return Math.min(untilDue, LOOK_MS);

    const startedAt = clock.monotonicMs();
    const { accounts, recovered } = await settleEnded(context, (sql) => lockEndedWaits(sql, CHUNK));
    if (recovered > 0) onRecovered(recovered);
    if (accounts > 0) return Math.min(clock.monotonicMs() - startedAt, MAX_REST_MS);
    // Nothing was over though the queue said so.
    await alignment.correct(databaseClock.now(), CHUNK);
    return RETRY_MS;
  }

  async function nextDueAt(): Promise<number | null> {
    const state = await queue.state();
    const isAligned = alignment.isRecent();
    if (state.kind === 'whole' && isAligned) return state.nextDueAt;
    // Beside the looks: of a large fleet it takes a while, and what is due meanwhile does not wait for it.
    if (state.kind === 'lost' || !isAligned) alignment.begin(state.kind === 'lost');
    const askedAt = clock.monotonicMs();
    const { now, dueAt } = await loadNextRecovery(database.reader);
    databaseClock.note(now, askedAt);
    return dueAt;
  }

  return {
    start: () => {
      running ??= run();
    },
    stop: async () => {
      stopping.abort();
      await running;
      await alignment.settled();
    },
  };
}
