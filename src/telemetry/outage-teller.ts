import { clock } from '../clock.js';
import type { Log } from './log.js';

/** Tells in the log that something is away, and that it is back. */
export interface OutageTeller {
  /** `part`: which of several connections to it has failed. */
  failed: (cause: string, part?: string) => void;
  /** It is back when every part that had failed is. */
  back: (part?: string) => void;
}

/** An outage that lasts is told so often. */
const EVERY_MS = 60_000;
/** Outages that come and go within so long are told once. */
const QUIET_MS = 10_000;

/**
 * Says in one line that something cannot be used and why, once a minute as long as that lasts, however often it is
 * tried; and in one line that it can be used again.
 */
export function createOutageTeller(options: {
  log: Log;
  /** Such as "PostgreSQL at db:5432". */
  what: string;
  /** The work-around in the meantime. */
  meanwhile: string;
}): OutageTeller {
  const { log, what, meanwhile } = options;
  const away = new Set<string>();
  let awaySinceMs = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  let isTold = false;
  return {
    failed: (cause, part = '') => {
      const now = clock.monotonicMs();
      if (away.size === 0) {
        awaySinceMs = now;
        isTold = false;
      }
      away.add(part);
      if (now - toldMs < (isTold ? EVERY_MS : QUIET_MS)) return;
      toldMs = now;
      isTold = true;
      log.warn(`${what} cannot be used: ${cause}; ${meanwhile}`);
    },
    back: (part = '') => {
      if (!away.delete(part) || away.size > 0 || !isTold) return;
      const seconds = Math.max(1, Math.round((clock.monotonicMs() - awaySinceMs) / 1000));
      log.info(`${what} can be used again after ${seconds} s`);
    },
  };
}
