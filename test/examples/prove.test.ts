import { expect, test } from '@jest/globals';
import {
  type ActionLimits,
  findActsInWaits,
  findAlertFaults,
  findDifferences,
  findDoubleLeases,
  findExceededLimits,
  findLostEvents,
  findUntimelyRecoveries,
  matchPermits,
} from '../../examples/demo/prove.js';

// A proof that cannot fail proves nothing: each is shown something wrong here, and its nearest neighbour that is right.

const noLimits: ActionLimits = {
  cooldown_seconds: null,
  burst_limit: null,
  burst_cooldown_seconds: null,
  hourly_limit: null,
  daily_limit: null,
  per_channel_daily: null,
  per_channel_total: null,
};
const NOON = Date.UTC(2026, 0, 1, 12);

/** Actions of one account at instants, in seconds after noon. */
const actionsAt = (seconds: number[], channel: string | null = null) =>
  seconds.map((second) => ({ account: 'a', type: 'invite', channel, at: NOON + second * 1000, underWayMs: 0 }));

test('two leases of an account at a time, one that was not ended, and a fence that was passed over', () => {
  const lease = (fence: number, from: number, until: number | null) => ({
    account: 'a',
    leaseId: String(fence),
    fence,
    from,
    until,
  });
  expect(findDoubleLeases([lease(1, 0, 10), lease(2, 10, 20)])).toEqual([]);
  expect(findDoubleLeases([lease(1, 0, 10), lease(2, 9, 20)])).toHaveLength(1);
  expect(findDoubleLeases([lease(1, 0, null)])).toHaveLength(1);
  expect(findDoubleLeases([lease(1, 0, 10), lease(3, 10, 20)])).toHaveLength(1);
});

test.each<[string, Partial<ActionLimits>, number[], number[]]>([
  ['cooldown', { cooldown_seconds: 5 }, [0, 5, 10], [0, 4.999]],
  ['hourly', { hourly_limit: 2 }, [0, 1, 3600], [0, 1, 3599]],
  ['daily', { daily_limit: 2 }, [0, 1, 12 * 3600], [0, 1, 2]],
  ['per channel daily', { per_channel_daily: 1 }, [0, 12 * 3600], [0, 3600]],
  ['per channel total', { per_channel_total: 1 }, [0], [0, 12 * 3600]],
  ['burst', { burst_limit: 2, burst_cooldown_seconds: 10 }, [0, 1, 11], [0, 1, 10]],
])('an action beyond the limit: %s', (rule, limit, within, beyond) => {
  const limits = { invite: { ...noLimits, ...limit } };
  expect(findExceededLimits(actionsAt(within, 'c'), limits)).toEqual([]);
  expect(findExceededLimits(actionsAt(beyond, 'c'), limits)).toEqual([expect.stringContaining(rule)]);
});

test('of a pause the time the earlier action was under way is taken off, and no more', () => {
  const limits = { invite: { ...noLimits, cooldown_seconds: 5 } };
  const [first, second] = actionsAt([0, 4.8]);
  expect(findExceededLimits([{ ...first!, underWayMs: 200 }, second!], limits)).toEqual([]);
  expect(findExceededLimits([{ ...first!, underWayMs: 199 }, second!], limits)).toHaveLength(1);
});

test('an action counts on the date on which it was permitted', () => {
  const limits = { invite: { ...noLimits, daily_limit: 1, per_channel_daily: 1 } };
  const [late, next] = actionsAt([12 * 3600, 12 * 3600 + 1], 'c');
  expect(findExceededLimits([{ ...late!, underWayMs: 1 }, next!], limits)).toEqual([]);
  expect(findExceededLimits([late!, next!], limits)).toHaveLength(2);
});

test('an action without a permit, before its permit, and a permit without an action', () => {
  const at = (seconds: number[]) => actionsAt(seconds);
  expect(matchPermits(at([1, 3]), at([0, 2]))).toMatchObject({
    problems: [],
    actions: [{ underWayMs: 1000 }, { underWayMs: 1000 }],
  });
  expect(matchPermits(at([1, 3]), at([0])).problems).toHaveLength(1);
  expect(matchPermits(at([1]), at([2])).problems).toHaveLength(1);
  expect(matchPermits(at([1]), at([0, 2])).problems).toHaveLength(1);
});

test('an account that acts in its wait', () => {
  const waits = [{ account: 'a', from: 10, until: 20 }];
  const acts = [9, 20].map((at) => ({ account: 'a', at }));
  expect(findActsInWaits([...acts, { account: 'b', at: 15 }], waits)).toEqual([]);
  expect(findActsInWaits([{ account: 'a', at: 15 }], waits)).toHaveLength(1);
});

test('an event that did not arrive, one that nobody wrote, a gap, and a wrong order', () => {
  const event = (sequence: number) => ({ id: `e${sequence}`, account: 'a', sequence });
  const [one, two, three] = [event(1), event(2), event(3)];
  expect(findLostEvents([one, two], [one, two])).toEqual([]);
  expect(findLostEvents([one, two], [one])).toEqual(['event e2 did not arrive on the bus']);
  expect(findLostEvents([one], [one, two])).toEqual(['event e2 is not in the table']);
  expect(findLostEvents([one, three], [one, three])).toHaveLength(2);
  expect(findLostEvents([one, two], [two, one])).toHaveLength(2);
});

test('a recovery before its instant, one too late on the bus, and one of no wait', () => {
  const recovery = { account: 'a', promisedAt: NOON, recoveredAt: NOON, arrivedAt: NOON + 2_000 };
  expect(findUntimelyRecoveries([recovery], 2_000)).toEqual([]);
  for (const wrong of [{ recoveredAt: NOON - 1 }, { arrivedAt: NOON + 2_001 }, { promisedAt: null }])
    expect(findUntimelyRecoveries([{ ...recovery, ...wrong }], 2_000)).toHaveLength(1);
});

test('an alert that was raised twice, not resolved, resolved though it is open, and resolved from nothing', () => {
  const words = (...states: string[]) => states.map((state) => ({ alertId: 'a', state }));
  const none = new Set<string>();
  expect(findAlertFaults(words('raised', 'resolved'), none)).toEqual([]);
  expect(findAlertFaults(words('raised'), new Set(['a']))).toEqual([]);
  for (const wrong of [words('raised'), words('raised', 'raised', 'resolved'), words('resolved'), words('undefined')])
    expect(findAlertFaults(wrong, none)).toHaveLength(1);
  expect(findAlertFaults(words('raised', 'resolved'), new Set(['a']))).toHaveLength(1);
});

test('two counts that differ, on either side', () => {
  expect(findDifferences({ a: 1, b: 0 }, { a: 1, c: 0 })).toEqual([]);
  expect(findDifferences({ a: 1, b: 2 }, { a: 2, c: 3 })).toHaveLength(3);
});
