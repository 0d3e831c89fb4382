import { expect, test } from '@jest/globals';
import { type AccountCondition, NEW_CONDITION } from '../../src/decide/condition/account-condition.js';
import { evaluateLimits, judgeAction } from '../../src/decide/limits/evaluate-limits.js';
import { type ActionPolicy, DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import {
  type ChannelUsage,
  countActions,
  EMPTY_CHANNEL_USAGE,
  EMPTY_WINDOW,
} from '../../src/decide/limits/usage-window.js';

const noon = Date.parse('2026-03-01T12:00:00.000Z');
const midnight = Date.parse('2026-03-02T00:00:00.000Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const UNLIMITED: ActionPolicy = {
  cooldownSeconds: null,
  burstLimit: null,
  burstCooldownSeconds: null,
  hourlyLimit: null,
  dailyLimit: null,
  perChannelDaily: null,
  perChannelTotal: null,
};

/** The window after one action at each of these instants. */
const windowOf = (policy: ActionPolicy, ...instants: number[]) =>
  instants.reduce((window, at) => countActions(window, 1, policy, at), EMPTY_WINDOW);

test('a fresh account may act, and every window says what is left', () => {
  const input = { window: EMPTY_WINDOW, channel: EMPTY_CHANNEL_USAGE, policy: DEFAULT_LIMITS.invite };
  expect(evaluateLimits(input, noon)).toEqual({
    allowed: true,
    reason: null,
    nextAllowedAt: null,
    never: false,
    checks: {
      daily: { used: 0, limit: 30, remaining: 30 },
      hourly: { used: 0, limit: 5, remaining: 5 },
      perChannel: { used: 0, limit: 15, remaining: 15, total: { used: 0, limit: 200, remaining: 200 } },
      cooldown: { ready: true, nextAllowedAt: null },
      burst: { ready: true, nextAllowedAt: null, used: 0, limit: 3 },
    },
  });
});

test('a used account: what was used is told apart by window', () => {
  const policy = DEFAULT_LIMITS.invite;
  const instants = [noon - 2 * HOUR, noon - 10 * MINUTE, noon - 6 * MINUTE, noon - 2 * MINUTE, noon - 1000];
  const verdict = evaluateLimits({ window: windowOf(policy, ...instants), channel: null, policy }, noon);
  expect(verdict).toEqual({
    allowed: false,
    reason: 'burst',
    nextAllowedAt: noon - 1000 + 5 * MINUTE,
    never: false,
    checks: {
      daily: { used: 5, limit: 30, remaining: 25 },
      hourly: { used: 4, limit: 5, remaining: 1 },
      cooldown: { ready: false, nextAllowedAt: noon - 1000 + 2 * MINUTE },
      burst: { ready: false, nextAllowedAt: noon - 1000 + 5 * MINUTE, used: 4, limit: 3 },
    },
  });
});

test('without a limit nothing is refused, and nothing is said to remain', () => {
  const window = countActions(EMPTY_WINDOW, 500, UNLIMITED, noon);
  const channel: ChannelUsage = { day: '2026-03-01', dayCount: 500, total: 500 };
  const verdict = evaluateLimits({ window, channel, policy: UNLIMITED }, noon);
  expect(verdict).toMatchObject({
    allowed: true,
    checks: {
      daily: { used: 500, limit: null, remaining: null },
      perChannel: { used: 500, limit: null, remaining: null, total: { used: 500, limit: null, remaining: null } },
      burst: { ready: true, limit: null },
    },
  });
});

const spent: ChannelUsage = { day: '2026-03-01', dayCount: 15, total: 15 };
const channelOnly = (policy: Partial<ActionPolicy>) => ({ ...UNLIMITED, ...policy });

test.each([
  ['daily', channelOnly({ dailyLimit: 2 }), [noon - 3 * HOUR, noon - 2 * HOUR], null, midnight],
  ['hourly', channelOnly({ hourlyLimit: 2 }), [noon - 50 * MINUTE, noon - 40 * MINUTE], null, noon + 10 * MINUTE],
  // Over the limit: the second newest must leave, not the oldest.
  ['hourly', channelOnly({ hourlyLimit: 2 }), [noon - 50 * MINUTE, noon - 40 * MINUTE, noon], null, noon + 20 * MINUTE],
  ['per_channel_daily', channelOnly({ perChannelDaily: 15 }), [], spent, midnight],
  ['per_channel_total', channelOnly({ perChannelTotal: 15 }), [], spent, null],
  ['cooldown', channelOnly({ cooldownSeconds: 0.25 }), [noon - 100], null, noon + 150],
  ['burst', channelOnly({ burstLimit: 1, burstCooldownSeconds: 60 }), [noon - 1], null, noon - 1 + MINUTE],
  ['daily', channelOnly({ dailyLimit: 0 }), [], null, null],
  ['hourly', channelOnly({ hourlyLimit: 0 }), [], null, null],
  ['burst', channelOnly({ burstLimit: 0, burstCooldownSeconds: 60 }), [], null, null],
  ['per_channel_daily', channelOnly({ perChannelDaily: 0 }), [], EMPTY_CHANNEL_USAGE, null],
  ['per_channel_total', channelOnly({ perChannelTotal: 0 }), [], EMPTY_CHANNEL_USAGE, null],
] as const)('%s alone refuses %j and ends at its instant', (reason, policy, instants, channel, endsAt) => {
  const input = { window: windowOf(policy, ...instants), channel, policy };
  expect(evaluateLimits(input, noon)).toMatchObject({
    allowed: false,
    reason,
    nextAllowedAt: endsAt,
    never: endsAt === null,
  });
  if (endsAt !== null) {
    expect(evaluateLimits(input, endsAt - 1).allowed).toBe(false);
    expect(evaluateLimits(input, endsAt)).toMatchObject({ allowed: true, reason: null, nextAllowedAt: null });
  } else {
    expect(evaluateLimits(input, noon + 400 * 24 * HOUR).allowed).toBe(false);
  }
});

test('the rule that ends last binds; of equals the first in the contract’s order', () => {
  const policy = channelOnly({ cooldownSeconds: 300, burstLimit: 1, burstCooldownSeconds: 300, hourlyLimit: 1 });
  const window = windowOf(policy, noon);
  expect(evaluateLimits({ window, channel: null, policy }, noon).reason).toBe('hourly');
  expect(evaluateLimits({ window, channel: null, policy: { ...policy, hourlyLimit: null } }, noon).reason).toBe(
    'cooldown',
  );
  const daily = { ...policy, dailyLimit: 1, perChannelDaily: 1 };
  const channel: ChannelUsage = { day: '2026-03-01', dayCount: 1, total: 1 };
  expect(evaluateLimits({ window, channel, policy: daily }, noon).reason).toBe('daily');
  const ever = { ...daily, perChannelTotal: 1 };
  expect(evaluateLimits({ window, channel, policy: ever }, noon)).toMatchObject({
    reason: 'per_channel_total',
    nextAllowedAt: null,
    never: true,
  });
});

test('a channel at its end says nothing about an action without a channel', () => {
  const channel: ChannelUsage = { day: '2026-03-01', dayCount: 200, total: 200 };
  const policy = DEFAULT_LIMITS.invite;
  expect(evaluateLimits({ window: EMPTY_WINDOW, channel, policy }, noon).allowed).toBe(false);
  expect(evaluateLimits({ window: EMPTY_WINDOW, channel: null, policy }, noon)).toMatchObject({ allowed: true });
});

test('a clock set back opens nothing, over midnight either', () => {
  const policy = channelOnly({ dailyLimit: 1, perChannelDaily: 1, hourlyLimit: 1, cooldownSeconds: 60 });
  const window = windowOf(policy, midnight);
  const channel: ChannelUsage = { day: '2026-03-02', dayCount: 1, total: 1 };
  const nextMidnight = midnight + 24 * HOUR;
  for (const now of [midnight - 1, midnight - 5 * HOUR, midnight - 30 * 24 * HOUR]) {
    expect(evaluateLimits({ window, channel, policy }, now)).toMatchObject({
      allowed: false,
      reason: 'daily',
      nextAllowedAt: nextMidnight,
      checks: { cooldown: { nextAllowedAt: midnight + MINUTE }, hourly: { used: 1 } },
    });
    expect(evaluateLimits({ window: EMPTY_WINDOW, channel, policy }, now)).toMatchObject({
      reason: 'per_channel_daily',
      nextAllowedAt: nextMidnight,
    });
  }
});

const fine = { window: EMPTY_WINDOW, channel: null, policy: DEFAULT_LIMITS.invite };
const condition = (changes: Partial<AccountCondition>): AccountCondition => ({ ...NEW_CONDITION, ...changes });

test.each([
  ['active', condition({}), true, null],
  ['draining, which finishes its lease', condition({ status: 'draining' }), true, null],
  ['in a flood wait', condition({ status: 'flood_wait', floodWaitUntil: noon + 5 }), false, noon + 5],
  ['blocked', condition({ status: 'blocked', blockedUntil: noon + 7, floodWaitUntil: noon + 5 }), false, noon + 7],
  [
    'blocked, then waiting',
    condition({ status: 'blocked', blockedUntil: noon + 5, floodWaitUntil: noon + 9 }),
    false,
    noon + 9,
  ],
  ['draining, in a wait', condition({ status: 'draining', floodWaitUntil: noon + 5 }), false, noon + 5],
  ['disabled', condition({ status: 'disabled', disabledReason: 'manual' }), false, null],
  [
    'disabled, in a wait',
    condition({ status: 'disabled', disabledReason: 'banned', floodWaitUntil: noon + 5 }),
    false,
    null,
  ],
  ['waiting until now', condition({ status: 'flood_wait', floodWaitUntil: noon }), true, null],
])('an account that is %s: may it act?', (_, given, allowed, nextAllowedAt) => {
  expect(judgeAction({ condition: given, ...fine }, noon)).toMatchObject({
    allowed,
    reason: allowed ? null : 'account_status',
    nextAllowedAt,
    never: given.status === 'disabled',
  });
});

test('the status is named before any limit, and both must have ended', () => {
  const policy = channelOnly({ cooldownSeconds: 60 });
  const window = windowOf(policy, noon);
  const waiting = condition({ status: 'flood_wait', floodWaitUntil: noon + 1000 });
  const input = { condition: waiting, window, channel: null, policy };
  expect(judgeAction(input, noon)).toMatchObject({ reason: 'account_status', nextAllowedAt: noon + MINUTE });
  expect(judgeAction(input, noon + 1000)).toMatchObject({ reason: 'cooldown', nextAllowedAt: noon + MINUTE });
  const never = judgeAction({ ...input, policy: channelOnly({ dailyLimit: 0 }) }, noon);
  expect(never).toMatchObject({ reason: 'account_status', nextAllowedAt: null, never: true });
});
