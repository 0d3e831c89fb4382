import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ACTION_TYPES, PURPOSES } from '../../contracts/fields.js';
import { DEFAULT_LIMITS, PURPOSE_ACTIONS, parseLimits } from '../../src/decide/limits/limits-policy.js';

/** The table of contract section 6: daily, hourly, per channel daily, per channel ever, cooldown, burst, pause. */
const CONTRACT = {
  invite: [30, 5, 15, 200, 120, 3, 300],
  message: [30, 10, null, null, 60, 5, 180],
  add_contact: [15, 3, null, null, 300, 2, 600],
  parse: [5000, 120, null, null, 2, 20, 60],
  join_channel: [20, 5, null, null, 120, 3, 300],
  leave_channel: [20, 5, null, null, 120, 3, 300],
};

test('the defaults are the contract’s table', () => {
  expect(
    Object.fromEntries(
      Object.entries(DEFAULT_LIMITS).map(([action, p]) => [
        action,
        [
          p.dailyLimit,
          p.hourlyLimit,
          p.perChannelDaily,
          p.perChannelTotal,
          p.cooldownSeconds,
          p.burstLimit,
          p.burstCooldownSeconds,
        ],
      ]),
    ),
  ).toEqual(CONTRACT);
});

test('an empty file gives the defaults', () => {
  expect(parseLimits({})).toEqual({ ok: true, policy: DEFAULT_LIMITS, countFailedAttempts: true });
});

test('a file overrides single fields; null lifts a limit, 0 and fractions of a second are kept', () => {
  const parsed = parseLimits({
    count_failed_attempts: false,
    invite: { daily_limit: 7, burst_limit: null, per_channel_total: 0 },
    parse: { cooldown_seconds: 0.25, hourly_limit: null, burst_limit: null, burst_cooldown_seconds: null },
  });
  expect(parsed).toEqual({
    ok: true,
    countFailedAttempts: false,
    policy: {
      ...DEFAULT_LIMITS,
      invite: { ...DEFAULT_LIMITS.invite, dailyLimit: 7, burstLimit: null, perChannelTotal: 0 },
      parse: {
        ...DEFAULT_LIMITS.parse,
        cooldownSeconds: 0.25,
        hourlyLimit: null,
        burstLimit: null,
        burstCooldownSeconds: null,
      },
    },
  });
});

test.each([
  ['an unknown action', { dance: {} }, ''],
  ['an unknown field', { invite: { weekly_limit: 3 } }, 'invite'],
  ['a negative limit', { invite: { daily_limit: -1 } }, 'invite.daily_limit'],
  ['a fractional limit', { message: { hourly_limit: 2.5 } }, 'message.hourly_limit'],
  ['negative seconds', { parse: { cooldown_seconds: -0.5 } }, 'parse.cooldown_seconds'],
  ['a limit that is text', { parse: { daily_limit: '5' } }, 'parse.daily_limit'],
  ['a limit beyond what a row can hold', { parse: { hourly_limit: 10_001 } }, 'parse.hourly_limit'],
  ['a switch that is no boolean', { count_failed_attempts: 'yes' }, 'count_failed_attempts'],
  ['a burst without a pause', { invite: { burst_cooldown_seconds: null } }, 'invite.burst_cooldown_seconds'],
  ['an action that is null', { invite: null }, 'invite'],
  ['a list', [], ''],
  ['nothing', null, ''],
  ['text', 'invite', ''],
])('%s is refused, with its path', (_, file, path) => {
  expect(parseLimits(file)).toEqual({ ok: false, issues: [{ path, message: expect.any(String) }] });
});

test('all faults are named at once', () => {
  const parsed = parseLimits({ invite: { daily_limit: -1 }, message: { hourly_limit: 'x' } });
  expect(parsed).toMatchObject({
    ok: false,
    issues: [{ path: 'invite.daily_limit' }, { path: 'message.hourly_limit' }],
  });
});

test('whatever the file holds, it is answered, never thrown at', () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => expect(typeof parseLimits(json).ok).toBe('boolean')));
});

test('every purpose has its actions', () => {
  expect(Object.keys(PURPOSE_ACTIONS).sort()).toEqual([...PURPOSES].sort());
  for (const action of Object.values(PURPOSE_ACTIONS).flat()) expect(ACTION_TYPES).toContain(action);
});
