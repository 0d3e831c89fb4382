/** A run that has begun, or was asked for, and is not over. A job has one at most. */
export interface OpenRun {
  /** The occurrence it is for; of one asked for by hand, when it was asked for. */
  readonly scheduledFor: number;
  /** Until then somebody works on it, or it rests before its next attempt. */
  readonly leaseUntil: number;
  /** A worker has it; else it waits for its first or its next attempt. */
  readonly working: boolean;
  /** By hand, so that no later occurrence takes its place. */
  readonly requested: boolean;
}

/** The facts about a job's runs. */
export interface JobState {
  readonly open: OpenRun | null;
  /** The occurrence of the latest run there is, over or not; null: there has been none. */
  readonly latestScheduledFor: number | null;
}

/**
 * Decision for an instance that is about to run the job:
 * - `start` a run of the occurrence;
 * - `take_over` the open run: its worker has died, or its rest is over;
 * - `replace` an open run of a past occurrence by a run of the present one;
 * - do nothing: another instance works on it (`busy`), or the occurrence has had its run (`done`).
 */
export type Claim = 'start' | 'take_over' | 'replace' | 'busy' | 'done';

/**
 * Judges who runs an occurrence. Only the latest one is ever run: what was missed while nothing was up is caught up
 * once, not once per occurrence. A job that never ran owes nothing: the caller notes the first occurrence as had.
 */
export function decideClaim({ open, latestScheduledFor }: JobState, occurrence: number, now: number): Claim {
  if (open !== null) {
    if (open.leaseUntil > now) return 'busy';
    return open.requested || open.scheduledFor >= occurrence ? 'take_over' : 'replace';
  }
  return latestScheduledFor !== null && latestScheduledFor >= occurrence ? 'done' : 'start';
}

const FIRST_RETRY_MS = 15_000;
const MAX_RETRY_MS = 600_000;

/** How long a run rests after its `attempt`th failure, 1 first. It is tried until its next occurrence replaces it. */
export const retryDelayMs = (attempt: number): number =>
  Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 16));

/**
 * Whether a job should have finished long ago: not once in the time of two of its occurrences. `doneAt`: when it last
 * did; `cadenceMs`: from one occurrence to the next.
 */
export const isOverdue = (doneAt: number, cadenceMs: number, now: number): boolean => now - doneAt > 2 * cadenceMs;
