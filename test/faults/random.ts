/** Numbers that look random and are the same for the same seed, so that a failing run can be replayed. */
export interface Random {
  /** 0 up to 1. */
  next: () => number;
  /** A whole number of `from` to `to`, both included. */
  between: (from: number, to: number) => number;
  pick: <T>(of: readonly T[]) => T;
  chance: (share: number) => boolean;
  /** A generator of its own, for somebody whose timing must not change what the others draw. */
  fork: () => Random;
}

/** Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    between,
    pick: <T>(of: readonly T[]): T => of[between(0, of.length - 1)] as T,
    chance: (share) => next() < share,
    fork: () => createRandom(between(0, 2 ** 31)),
  };
}
