import { clock } from '../clock.js';
import type { RecoveryQueue } from '../redis/recovery-queue.js';
import { loadRecoveries, loadRecoveriesOf } from '../store/accounts/load-recoveries.js';
import type { Database } from '../store/database.js';
import type { Log } from '../telemetry/log.js';

export interface AlignmentOptions {
  database: Database;
  recoveryQueue: RecoveryQueue;
  log: Log;
  onFault: (error: unknown) => void;
}

/** Brings the queue in Redis in line with the database, which has the truth. */
export interface QueueAlignment {
  /** Whether the queue was compared with the truth lately. */
  isRecent: () => boolean;
  /** Begins to compare it, or to fill it where it was lost, unless that is under way. */
  begin: (isLost: boolean) => void;
  /** Replaces by the truth what the queue has as due by `now`, of at most `limit` accounts. */
  correct: (now: number, limit: number) => Promise<void>;
  /** Resolves when nothing is under way. */
  settled: () => Promise<void>;
}

/**
 * How often the queue is compared with the truth, and how far ahead. A wait lasts a minute at least, so one whose
 * entry was lost on its way to Redis is found before it ends.
 */
const COMPARE_MS = 30_000;
const COMPARE_AHEAD_MS = 90_000;

export function alignRecoveryQueue({ database, recoveryQueue: queue, log, onFault }: AlignmentOptions): QueueAlignment {
  let comparedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | null = null;

  async function fill(): Promise<void> {
    const recoveries = await queue.fill(loadRecoveries(database.reader));
    log.debug('queue of recoveries filled', { recoveries });
  }

  async function compare(): Promise<void> {
    for await (const page of loadRecoveries(database.reader, COMPARE_AHEAD_MS)) if (!(await queue.put(page))) return;
  }

  return {
    isRecent: () => clock.monotonicMs() - comparedAt < COMPARE_MS,
    begin: (isLost) => {
      if (underWay !== null) return;
      comparedAt = clock.monotonicMs();
      underWay = (isLost ? fill() : compare()).catch(onFault).finally(() => (underWay = null));
    },
    correct: async (now, limit) => {
      const claimed = await queue.due(now, limit);
      if (claimed.length > 0) await queue.put(await loadRecoveriesOf(database.reader, claimed));
    },
    settled: async () => {
      await underWay;
    },
  };
}
