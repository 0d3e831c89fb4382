import { waitAtMost } from '../broker/wait-at-most.js';

/** More requests than this do not wait at a time: each keeps a place of the door's prefetch. */
const MAX_WAITING = 128;
/** A caller's share of these places, so that one alone cannot take them all. */
const MAX_WAITING_PER_CALLER = 32;
/** A caller of whom nothing is heard for so long counts as there. */
const GONE_TIMEOUT_MS = 1_000;

/** Whoever waits for an account. */
interface Visitor {
  userId: number;
  /** The caller whose share of the places is used. */
  caller: string;
  /** Aborts when the caller has gone; absent where nobody is told. */
  gone?: AbortSignal | undefined;
  /** Whether the caller has gone, so that an account would be lost on it; absent where nobody can tell. */
  hasGone: (() => Promise<boolean>) | undefined;
}

type Turn = 'turn' | 'gone' | 'closed';

/** A place in the line of a user; it is kept until `leave`, however often its holder asks in between. */
export interface Place {
  /**
   * Resolves `turn` when an account of the user may have become free, or when somebody in the line has waited as long
   * as it wanted to; `gone` where the caller has gone, and the place with it; `closed` where nobody may wait any longer.
   */
  wait: (ms: number) => Promise<Turn>;
  leave: () => void;
}

/**
 * Where allocations with `wait_ms` wait until an account of their user may have become free. Those who wait for a
 * user's accounts stand in a line: they are woken together and in order, so that they ask in order.
 */
export interface WaitingRoom {
  /** Resolves when those who wait for the user's accounts have been woken, to ask behind them; at once where nobody does. */
  comeBehind: (userId: number) => Promise<void>;
  /** A place at the end of the user's line; null where the room is full or closed, or the caller has its share. */
  enter: (visitor: Visitor) => Place | null;
  /** Wakes those who wait for an account of the user. */
  wake: (userId: number) => void;
  /** Nobody waits any longer; for the shutdown. */
  close: () => void;
}

interface Waiter {
  line: Line;
  gone: Visitor['gone'];
  hasGone: Visitor['hasGone'];
  /** Null while it does not wait. */
  resolve: ((turn: Turn) => void) | null;
  /** It was let go, to ask, and has neither come back nor left. */
  asks: boolean;
  /** It was to be woken while it asked: it may have been refused just before an account became free. */
  isMissed: boolean;
  leave: () => void;
}

interface Line {
  room: Room;
  waiters: Set<Waiter>;
  /** Those who come behind; they are let go with the next waking. */
  behind: (() => void)[];
  isWaking: boolean;
  /** It is to be woken once more. */
  again: boolean;
  /** Called when none of the line asks any more. */
  onQuiet: (() => void) | null;
}

/** The lines by user, and whether anybody may wait any longer. */
interface Room {
  lines: Map<number, Line>;
  isClosed: boolean;
}

export function createWaitingRoom(): WaitingRoom {
  const room: Room = { lines: new Map(), isClosed: false };
  const takePlace = createPlaces();

  function enter(visitor: Visitor): Place | null {
    const giveBack = room.isClosed ? null : takePlace(visitor.caller);
    if (giveBack === null) return null;
    const waiter = joinLine(room, visitor, giveBack);
    return { wait: (ms) => waitInLine(waiter, ms), leave: waiter.leave };
  }

  const wake = (userId: number): void => {
    const line = room.lines.get(userId);
    if (line === undefined) return;
    for (const waiter of line.waiters) if (waiter.resolve === null) waiter.isMissed = true;
    void wakeLine(line);
  };

  return {
    comeBehind: (userId) =>
      new Promise((resolve) => {
        const line = room.lines.get(userId);
        if (line === undefined) return resolve();
        line.behind.push(resolve);
        void wakeLine(line);
      }),
    enter,
    wake,
    close: () => {
      room.isClosed = true;
      for (const userId of [...room.lines.keys()]) wake(userId);
    },
  };
}

/** The places of the room: takes one for a caller and returns how to give it back; null where there is none for it. */
function createPlaces(): (caller: string) => (() => void) | null {
  const taken = new Map<string, number>();
  let places = MAX_WAITING;
  return (caller) => {
    const held = taken.get(caller) ?? 0;
    if (places <= 0 || held >= MAX_WAITING_PER_CALLER) return null;
    places -= 1;
    taken.set(caller, held + 1);
    return () => {
      places += 1;
      const left = (taken.get(caller) ?? 1) - 1;
      if (left === 0) taken.delete(caller);
      else taken.set(caller, left);
    };
  };
}

function joinLine(room: Room, { userId, gone, hasGone }: Visitor, giveBack: () => void): Waiter {
  const { lines } = room;
  const line = lines.get(userId) ?? newLine(room);
  lines.set(userId, line);
  const leave = () => {
    if (!line.waiters.delete(waiter)) return;
    noteQuiet(line);
    if (line.waiters.size === 0 && lines.get(userId) === line) lines.delete(userId);
    giveBack();
  };
  const waiter: Waiter = { line, gone, hasGone, resolve: null, asks: false, isMissed: false, leave };
  line.waiters.add(waiter);
  return waiter;
}

const newLine = (room: Room): Line => ({
  room,
  waiters: new Set(),
  behind: [],
  isWaking: false,
  again: false,
  onQuiet: null,
});

const waitInLine = (waiter: Waiter, ms: number): Promise<Turn> =>
  new Promise<Turn>((resolve) => {
    const { line, gone } = waiter;
    const timer = setTimeout(() => void wakeLine(line), ms);
    const leave = (): void => letGo(waiter, true);
    gone?.addEventListener('abort', leave);
    waiter.resolve = (turn) => {
      clearTimeout(timer);
      gone?.removeEventListener('abort', leave);
      resolve(turn);
    };
    waiter.asks = false;
    noteQuiet(line);
    if (waiter.isMissed || line.room.isClosed) {
      waiter.isMissed = false;
      void wakeLine(line);
    }
  });

async function wakeLine(line: Line): Promise<void> {
  if (line.isWaking) {
    line.again = true;
    return;
  }
  line.isWaking = true;
  do {
    line.again = false;
    // Those who ask now may have asked too early; whoever comes behind asks behind their next time.
    if (line.behind.length > 0) await untilNoneAsks(line);
    const behind = line.behind.splice(0);
    const waiters = [...line.waiters].filter(({ resolve }) => resolve !== null);
    // Without a question nothing is waited for: whoever asks elsewhere for what has just become free would be first.
    const isToAsk = waiters.some(({ hasGone }) => hasGone !== undefined) && !line.room.isClosed;
    const gone = isToAsk ? await findGone(waiters) : null;
    // All in one turn, in order: they ask in the order in which they are let go.
    for (const waiter of waiters) letGo(waiter, gone?.has(waiter) === true);
    for (const go of behind) go();
  } while (isWanted(line));
  line.isWaking = false;
}

/** Set by others while the line was being woken. */
const isWanted = ({ again }: Line): boolean => again;

const someAsk = ({ waiters }: Line): boolean => [...waiters].some(({ asks }) => asks);

const untilNoneAsks = (line: Line): Promise<void> =>
  new Promise((resolve) => {
    if (!someAsk(line)) return resolve();
    line.onQuiet = resolve;
  });

const noteQuiet = (line: Line): void => {
  if (line.onQuiet === null || someAsk(line)) return;
  line.onQuiet();
  line.onQuiet = null;
};

function letGo(waiter: Waiter, hasGone: boolean): void {
  const { resolve, line } = waiter;
  waiter.resolve = null;
  waiter.asks = true;
  if (hasGone) waiter.leave();
  if (hasGone) resolve?.('gone');
  else resolve?.(line.room.isClosed ? 'closed' : 'turn');
}

/** Those whose callers are known to have gone; all are asked at the same time. */
async function findGone(waiters: readonly Waiter[]): Promise<Set<Waiter>> {
  const gone = new Set<Waiter>();
  const asked = waiters.map(async (waiter) => {
    if ((await waiter.hasGone?.()) === true) gone.add(waiter);
  });
  await waitAtMost(Promise.allSettled(asked), GONE_TIMEOUT_MS);
  return gone;
}
