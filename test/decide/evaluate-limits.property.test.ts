import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { evaluateLimits } from '../../src/decide/limits/evaluate-limits.js';
import type { ActionPolicy } from '../../src/decide/limits/limits-policy.js';
import {
  type ChannelUsage,
  countActions,
  countInChannel,
  EMPTY_CHANNEL_USAGE,
  EMPTY_WINDOW,
} from '../../src/decide/limits/usage-window.js';

/*
 * An oracle that remembers every action and judges by the sentences of contract section 6, beside the windows, which
 * remember little. Policies and steps are small, so that every rule binds often.
 */

interface Action {
  at: number;
  channel: string | null;
}

const HOUR = 3_600_000;
const date = (at: number) => Math.floor(at / (24 * HOUR));

/** Lengths of the bursts, in order. */
function burstsOf(history: readonly Action[], pauseMs: number): number[] {
  const bursts: number[] = [];
  history.forEach((action, i) => {
    const before = history[i - 1];
    if (before !== undefined && action.at - before.at < pauseMs) bursts[bursts.length - 1]! += 1;
    else bursts.push(1);
  });
  return bursts;
}

function isAllowed(history: readonly Action[], channel: string | null, policy: ActionPolicy, now: number): boolean {
  const count = (matches: (action: Action) => boolean) => history.filter(matches).length;
  const below = (used: number, limit: number | null) => limit === null || used < limit;
  const last = history.at(-1);
  const pauseMs = (policy.burstCooldownSeconds ?? 0) * 1000;
  const inBurst = last !== undefined && now - last.at < pauseMs;
  return (
    below(
      count(({ at }) => date(at) === date(now)),
      policy.dailyLimit,
    ) &&
    below(
      count(({ at }) => now - at < HOUR),
      policy.hourlyLimit,
    ) &&
    (last === undefined || now - last.at >= (policy.cooldownSeconds ?? 0) * 1000) &&
    below(inBurst ? (burstsOf(history, pauseMs).at(-1) ?? 0) : 0, policy.burstLimit) &&
    (channel === null ||
      (below(
        count((a) => a.channel === channel && date(a.at) === date(now)),
        policy.perChannelDaily,
      ) &&
        below(
          count((a) => a.channel === channel),
          policy.perChannelTotal,
        )))
  );
}

const orNone = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 });
/** 0, which refuses for good, is rare: it hides every other rule. */
const limit = (max: number) =>
  orNone(fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 1, max }) }, { weight: 1, arbitrary: fc.constant(0) }));
const smallPolicy: fc.Arbitrary<ActionPolicy> = fc.record({
  cooldownSeconds: orNone(fc.constantFrom(0, 0.5, 60, 120, 600)),
  burstLimit: limit(3),
  burstCooldownSeconds: fc.constantFrom(0, 90, 300, 1800),
  hourlyLimit: limit(4),
  dailyLimit: limit(12),
  perChannelDaily: limit(4),
  perChannelTotal: limit(8),
});
const step = fc.record({
  /** How far the clock moves first; null: to the instant promised by the last refusal. */
  wait: fc.option(
    fc.oneof(fc.nat(1000), fc.integer({ min: 1000, max: 400_000 }), fc.integer({ min: 400_000, max: 30_000_000 })),
    { nil: null, freq: 3 },
  ),
  channel: fc.constantFrom(null, 'a', 'b'),
  /** Counted whether or not it is allowed (`action.record`, `account.release`). */
  forced: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
});
// Near midnight, so that it is crossed.
const start = fc.integer({ min: -8 * HOUR, max: 0 }).map((offset) => Date.parse('2026-03-02T00:00:00.000Z') + offset);

/** Acts whenever it is allowed to; calls `see` before each step. */
function simulate(
  policy: ActionPolicy,
  start: number,
  steps: readonly { wait: number | null; channel: string | null; forced: number }[],
  see: (
    history: readonly Action[],
    channel: string | null,
    now: number,
    input: Parameters<typeof evaluateLimits>[0],
  ) => void,
): Action[] {
  const history: Action[] = [];
  const channels = new Map<string, ChannelUsage>();
  let window = EMPTY_WINDOW;
  let now = start;
  let promised: number | null = null;
  for (const { wait, channel, forced } of steps) {
    now = wait === null ? (promised ?? now) : now + wait;
    const usage = channel === null ? null : (channels.get(channel) ?? EMPTY_CHANNEL_USAGE);
    const input = { window, channel: usage, policy };
    see(history, channel, now, input);
    const verdict = evaluateLimits(input, now);
    promised = verdict.nextAllowedAt;
    const quantity = forced || Number(verdict.allowed);
    window = countActions(window, quantity, policy, now);
    if (channel !== null && usage !== null) channels.set(channel, countInChannel(usage, quantity, now));
    for (let i = 0; i < quantity; i += 1) history.push({ at: now, channel });
  }
  return history;
}

const steps = fc.array(step, { minLength: 20, maxLength: 80 });

test('the windows judge as one who remembers every action, and promise the exact instant', () => {
  const seen = { allowed: 0, refused: 0, never: 0 };
  fc.assert(
    fc.property(smallPolicy, start, steps, (policy, startAt, moves) => {
      simulate(policy, startAt, moves, (history, channel, now, input) => {
        const verdict = evaluateLimits(input, now);
        expect(verdict.allowed).toBe(isAllowed(history, channel, policy, now));
        if (verdict.allowed) {
          seen.allowed += 1;
        } else if (verdict.nextAllowedAt === null) {
          seen.never += 1;
          expect(verdict.never).toBe(true);
          for (const days of [1, 2, 400]) {
            expect(isAllowed(history, channel, policy, now + days * 24 * HOUR)).toBe(false);
          }
        } else {
          seen.refused += 1;
          const at = verdict.nextAllowedAt;
          expect(at).toBeGreaterThan(now);
          expect(isAllowed(history, channel, policy, at)).toBe(true);
          expect(isAllowed(history, channel, policy, at - 1)).toBe(false);
          expect(evaluateLimits(input, at).allowed).toBe(true);
          expect(evaluateLimits(input, at - 1).allowed).toBe(false);
        }
      });
    }),
    { numRuns: 150 },
  );
  // The control: each outcome was met often, so that agreement means something.
  expect(Math.min(seen.allowed, seen.refused, seen.never)).toBeGreaterThan(200);
});

test('one who acts whenever allowed exceeds no limit, at no moment', () => {
  const unforced = fc.array(
    step.map((move) => ({ ...move, forced: 0 })),
    { minLength: 20, maxLength: 80 },
  );
  let acted = 0;
  fc.assert(
    fc.property(smallPolicy, start, unforced, (policy, startAt, moves) => {
      const history = simulate(policy, startAt, moves, () => {});
      const { dailyLimit, hourlyLimit, cooldownSeconds, burstLimit, burstCooldownSeconds } = policy;
      const no = Number.POSITIVE_INFINITY;
      acted += history.length;
      history.forEach((action, i) => {
        const hour = history.filter(({ at }) => at >= action.at && at < action.at + HOUR);
        expect(hour.length).toBeLessThanOrEqual(hourlyLimit ?? no);
        const day = history.filter(({ at }) => date(at) === date(action.at));
        expect(day.length).toBeLessThanOrEqual(dailyLimit ?? no);
        const before = history[i - 1];
        if (before) expect(action.at - before.at).toBeGreaterThanOrEqual((cooldownSeconds ?? 0) * 1000);
        if (action.channel !== null) {
          const there = (actions: Action[]) => actions.filter(({ channel }) => channel === action.channel).length;
          expect(there(day)).toBeLessThanOrEqual(policy.perChannelDaily ?? no);
          expect(there(history)).toBeLessThanOrEqual(policy.perChannelTotal ?? no);
        }
      });
      for (const burst of burstsOf(history, (burstCooldownSeconds ?? 0) * 1000)) {
        expect(burst).toBeLessThanOrEqual(burstLimit ?? no);
      }
    }),
    { numRuns: 150 },
  );
  expect(acted).toBeGreaterThan(1000);
});

test('an action that is refused now was refused at every earlier instant too: a clock set back opens nothing', () => {
  const back = fc.oneof(fc.nat(1000), fc.nat(HOUR), fc.nat(40 * 24 * HOUR));
  fc.assert(
    fc.property(smallPolicy, start, steps, back, (policy, startAt, moves, backMs) => {
      simulate(policy, startAt, moves, (_history, _channel, now, input) => {
        if (!evaluateLimits(input, now).allowed) expect(evaluateLimits(input, now - backMs).allowed).toBe(false);
      });
    }),
    { numRuns: 100 },
  );
});
