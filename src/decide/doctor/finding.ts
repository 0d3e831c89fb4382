/** `fail`: something does not work, or soon will not; `warn`: it works, and should be otherwise. */
export type FindingState = 'ok' | 'warn' | 'fail';

/** One finding about the installation. */
export interface Finding {
  /** Such as `postgresql`. */
  where: string;
  /** The thing that was looked at, such as `version`. */
  check: string;
  state: FindingState;
  /** For a person; no secrets. */
  found: string;
  /** Remedy, in a sentence; null: none is needed. */
  cure: string | null;
}

/** Findings of one place. */
export const findingsOf = (where: string) => ({
  ok: (check: string, found: string): Finding => ({ where, check, state: 'ok', found, cure: null }),
  warn: (check: string, found: string, cure: string): Finding => ({ where, check, state: 'warn', found, cure }),
  fail: (check: string, found: string, cure: string): Finding => ({ where, check, state: 'fail', found, cure }),
});

/** Beyond these a clock is wrong, milliseconds; below them it is the time that the answer took. */
const SKEW_WARN_MS = 2_000;
const SKEW_FAIL_MS = 60_000;

/** How far another machine's clock is from this one's; positive: ahead. */
export function judgeClock(where: string, skewMs: number): Finding {
  const { ok, warn, fail } = findingsOf(where);
  const seconds = Math.abs(skewMs) / 1_000;
  const found = `${seconds.toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const cure = 'run an NTP client on every machine: limits and leases go by the clock of PostgreSQL, deadlines by each';
  if (Math.abs(skewMs) > SKEW_FAIL_MS) return fail('clock', found, cure);
  return Math.abs(skewMs) > SKEW_WARN_MS ? warn('clock', found, cure) : ok('clock', found);
}

/** So many are no accident. */
const PARKED_MANY = 1_000;

/** Messages that wait for an operator; null: there is no queue of them. */
export function judgeParked(where: string, parked: number | null): Finding {
  const { ok, warn, fail } = findingsOf(where);
  const check = 'parked messages';
  if (parked === null || parked === 0) return ok(check, 'none');
  const cure = 'look at them with `account-manager parked list`, then replay or discard them';
  return parked >= PARKED_MANY ? fail(check, String(parked), cure) : warn(check, String(parked), cure);
}
