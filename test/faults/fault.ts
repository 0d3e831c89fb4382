import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from './bus.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** Tools that a fault gets. */
export interface FaultContext {
  world: World;
  random: Random;
  /** The users whose accounts are in play. */
  userIds: readonly number[];
  /** Somebody who may call as well. */
  bus: Bus;
  /** Counts a fault that was brought about. */
  injected: (times?: number) => void;
  /** Notes what the fault itself has seen to be wrong. */
  report: (what: string) => void;
}

/** Does its damage, lasts, and mends what will not mend itself; resolves when the world could be well again. */
export type Fault = (context: FaultContext) => Promise<void>;

/** How long what lasts lasts. */
export const shortWhile = (random: Random): Promise<void> => pause(random.between(300, 2_500));
/** Longer than the silence after which a connection counts as dead. */
export const longWhile = (random: Random): Promise<void> => pause(random.between(13_000, 16_000));
