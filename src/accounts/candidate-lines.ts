import { clock } from '../clock.js';

/**
 * The next candidates of users, longest rested first, as they were read of late; and which users had none to be had, so
 * that their requests are decided under locks for a while.
 */
export interface CandidateLines {
  /** A user's next candidates. `isWhole`: the user had no others when they were read. */
  lineUp: (userId: number, accountIds: readonly string[], options: { isWhole: boolean }) => void;
  /** Puts an account that has just been given back behind all others, where none of the user's stands between. */
  lineUpAgain: (userId: number, accountId: string) => void;
  /** The line of a user; undefined where nothing is known any more. */
  of: (userId: number) => CandidateLine | undefined;
  /** How many candidates are to be read beyond those needed: more, the sooner they are used up. */
  ahead: (userId: number) => number;
  /** The line was used up before its time. */
  noteUsedUp: (userId: number) => void;
  forget: (userId: number) => void;
  noteShortage: (userId: number) => void;
  isShort: (userId: number) => boolean;
  clear: () => void;
}

export interface CandidateLine {
  /** May be changed. */
  ids: string[];
  isWhole: boolean;
}

/** An account that became free meanwhile waits for this long behind others that have rested for less. */
const LINE_LIFE_MS = 5_000;
const LEAST_AHEAD = 8;
const MOST_AHEAD = 128;
const SHORTAGE_MS = 1_000;
const MOST_USERS = 10_000;

export function createCandidateLines(): CandidateLines {
  const lines = new Map<number, CandidateLine & { until: number }>();
  const readAhead = new Map<number, number>();
  const shortUntil = new Map<number, number>();
  const of = (userId: number): CandidateLine | undefined => {
    const line = lines.get(userId);
    if (line === undefined || line.until >= clock.monotonicMs()) return line;
    lines.delete(userId);
    // A line that was whole was as long as it had to be.
    if (!line.isWhole) setBounded(readAhead, userId, Math.max(LEAST_AHEAD, (readAhead.get(userId) ?? 0) / 2));
    return undefined;
  };

  return {
    lineUp: (userId, accountIds, { isWhole }) =>
      setBounded(lines, userId, { ids: [...accountIds], isWhole, until: clock.monotonicMs() + LINE_LIFE_MS }),
    lineUpAgain: (userId, accountId) => {
      const line = of(userId);
      if (line?.isWhole === true && !line.ids.includes(accountId)) line.ids.push(accountId);
    },
    of,
    ahead: (userId) => readAhead.get(userId) ?? LEAST_AHEAD,
    noteUsedUp: (userId) => {
      lines.delete(userId);
      setBounded(readAhead, userId, Math.min(MOST_AHEAD, 2 * (readAhead.get(userId) ?? LEAST_AHEAD / 2)));
    },
    forget: (userId) => {
      lines.delete(userId);
      shortUntil.delete(userId);
    },
    noteShortage: (userId) => {
      lines.delete(userId);
      setBounded(shortUntil, userId, clock.monotonicMs() + SHORTAGE_MS);
    },
    isShort: (userId) => (shortUntil.get(userId) ?? 0) > clock.monotonicMs(),
    clear: () => lines.clear(),
  };
}

/** Entries that are forgotten are read again. */
function setBounded<V>(map: Map<number, V>, userId: number, value: V): void {
  if (map.size >= MOST_USERS) map.clear();
  map.set(userId, value);
}
