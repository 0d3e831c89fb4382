import type { Log } from '../../telemetry/log.js';

export interface OutageOptions {
  /** Resolves when the dependencies are back; rejects when the signal aborts. */
  waitUntilAvailable: (signal: AbortSignal) => Promise<void>;
  /** Takes no more messages, and gives those in work back to their queues. */
  pause: () => void;
  /** Takes messages again, if it was paused. */
  resume: () => void;
  stopping: AbortSignal;
  log: Log;
}

/** How long requests are held before they go back: another instance may reach what this one cannot. */
const HOLD_MS = 5_000;

/**
 * Waits for dependencies that are away, on behalf of all requests that are held for them: however many wait, the
 * dependency is asked once. When it takes long, consumption pauses until it is back. A short outage is sat out,
 * since every way back to the queue counts towards the delivery limit.
 */
export function createOutage({ waitUntilAvailable, pause, resume, stopping, log }: OutageOptions): () => Promise<void> {
  let shared: Promise<void> | null = null;

  const wait = async (): Promise<void> => {
    const timer = setTimeout(() => {
      log.warn('consumption paused until the dependencies are back');
      pause();
    }, HOLD_MS);
    try {
      await waitUntilAvailable(stopping);
      log.info('dependencies are back');
      resume();
    } finally {
      clearTimeout(timer);
      shared = null;
    }
  };

  return () => (shared ??= wait());
}
