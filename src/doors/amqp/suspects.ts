import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { waitAtMost } from '../../broker/wait-at-most.js';

/** Serves messages that may be what ends their consumers. */
export interface SuspectLane {
  /** Resolves when the message is done with, by `serve` or because the stop came before its turn. */
  serve: (deliveries: number, serve: () => Promise<void>) => Promise<void>;
}

export interface SuspectLaneOptions {
  /** Requests in work that are under no suspicion. */
  others: () => Iterable<Promise<void>>;
  stopping: AbortSignal;
}

/** A message that has come back so often is under suspicion. */
const SUSPECT_AFTER_DELIVERIES = 3;
/** How long suspects gather before the first has its turn. */
const GATHER_MS = 100;
/** How long one suspect waits for the others, and the next for it. A request that ends a process does so at once. */
const PATIENCE_MS = 500;

/** @param deliveries how often the message has come back, as the broker tells it; a caller may have forged it */
export const isSuspect = (redelivered: boolean, deliveries: unknown): deliveries is number =>
  redelivered && Number.isSafeInteger(deliveries) && Number(deliveries) >= SUSPECT_AFTER_DELIVERIES;

/**
 * A message that crashes the process takes along everything in work, and what dies with it often enough is over the
 * delivery limit as well. So suspects are served alone: one after the other, when what was in work before is settled.
 */
export function createSuspectLane({ others, stopping }: SuspectLaneOptions): SuspectLane {
  const waiting: { deliveries: number; serve: () => Promise<void>; resolve: () => void }[] = [];
  let working = false;

  /** From the front, from the back, by lot: another way after each crash, so that the innocent pass the culprits. */
  const choose = (): number => {
    const ways = [0, waiting.length - 1, randomInt(waiting.length)];
    return ways[(waiting[0]?.deliveries ?? 0) % ways.length] ?? 0;
  };

  const work = async (): Promise<void> => {
    await pause(GATHER_MS);
    while (waiting.length > 0) {
      const [next] = waiting.splice(choose(), 1);
      if (next === undefined) break;
      if (!stopping.aborted) {
        await waitAtMost(Promise.allSettled(others()), PATIENCE_MS);
        await waitAtMost(next.serve().finally(next.resolve), PATIENCE_MS);
      } else next.resolve();
    }
    working = false;
  };

  return {
    serve: (deliveries, serve) =>
      new Promise((resolve) => {
        waiting.push({ deliveries, serve, resolve });
        if (working) return;
        working = true;
        void work();
      }),
  };
}
