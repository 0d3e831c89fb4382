import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../clock.js';
import type { BrokerConnection } from './connections.js';
import { waitAtMost } from './wait-at-most.js';

const ASK_TIMEOUT_MS = 1_000;
const CLOSE_TIMEOUT_MS = 1_000;
const NOT_FOUND = 404;
/** Addresses that are remembered at once. */
const MAX_REMEMBERED = 1_000;

/** Asks whether a reply address has gone (`isReplyAddressGone`); one that was there less than `toldMs` ago counts as there. */
export type AskAddressGone = (address: string, toldMs: number) => Promise<boolean>;

/**
 * Remembers who was there: a question takes the broker and this process 2 ms of their processors' time, as long as several
 * allocations (2026-11-30, two slow cores). One that has gone may come back at once, and is always asked for.
 */
export function createAskAddressGone(connection: BrokerConnection): AskAddressGone {
  const thereAt = new Map<string, number>();
  return async (address, toldMs) => {
    const lastThereAt = thereAt.get(address) ?? Number.NEGATIVE_INFINITY;
    if (clock.monotonicMs() - lastThereAt < toldMs) return false;
    // A broker that is silent must not keep the account: the address counts as there.
    const overdue = pause(ASK_TIMEOUT_MS, false, { ref: false });
    const isGone = await Promise.race([isReplyAddressGone(connection, address), overdue]);
    thereAt.delete(address);
    if (isGone) return true;
    const [oldest] = thereAt.keys();
    if (thereAt.size >= MAX_REMEMBERED && oldest !== undefined) thereAt.delete(oldest);
    thereAt.set(address, clock.monotonicMs());
    return false;
  };
}

/**
 * Whether the queue behind a reply address has gone, and whoever would read the reply with it. The broker is asked by a
 * passive declare on a channel of its own, since it closes the channel where there is no such queue. It knows direct
 * reply-to addresses as well: they are there as long as the channel that consumes them. A queue that another connection
 * has for itself (405) is there, as is one that nobody consumes at the moment. False where the broker does not say.
 */
export async function isReplyAddressGone(connection: BrokerConnection, address: string): Promise<boolean> {
  const link = connection.current();
  if (link === null) return false;
  try {
    const channel = await link.createChannel();
    channel.on('error', () => undefined);
    try {
      await channel.checkQueue(address);
    } finally {
      // One that the broker has closed says so by throwing.
      await waitAtMost((async () => channel.close())(), CLOSE_TIMEOUT_MS);
    }
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === NOT_FOUND;
  }
}
