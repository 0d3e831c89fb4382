/** More requests than this do not wait at a time: each keeps a place of the door's prefetch. */
const MAX_WAITING = 128;

/** Where allocations with `wait_ms` wait until an account of their user may have become free. */
export interface WaitingRoom {
  /** Resolves at the user's next wake-up, after `ms`, or at once when the room is full or closed (false). */
  wait: (userId: number, ms: number) => Promise<boolean>;
  /** Wakes those who wait for an account of the user, in the order they came. */
  wake: (userId: number) => void;
  /** Nobody waits any longer; for the shutdown. */
  close: () => void;
}

export function createWaitingRoom(): WaitingRoom {
  const waiting = new Map<number, Set<() => void>>();
  let places = MAX_WAITING;

  function wait(userId: number, ms: number): Promise<boolean> {
    if (places <= 0) return Promise.resolve(false);
    places -= 1;
    return new Promise((resolve) => {
      const leave = () => {
        clearTimeout(timer);
        waiting.get(userId)?.delete(leave);
        if (waiting.get(userId)?.size === 0) waiting.delete(userId);
        places += 1;
        resolve(true);
      };
      const timer = setTimeout(leave, ms);
      const others = waiting.get(userId) ?? new Set();
      waiting.set(userId, others.add(leave));
    });
  }

  const wake = (userId: number): void => {
    for (const leave of [...(waiting.get(userId) ?? [])]) leave();
  };

  return {
    wait,
    wake,
    close: () => {
      for (const userId of [...waiting.keys()]) wake(userId);
      places = Number.NEGATIVE_INFINITY;
    },
  };
}
