import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { evaluateLimits } from '../../src/decide/limits/evaluate-limits.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import {
  type Candidate,
  judgeCandidate,
  rankCandidates,
  selectAccount,
  type Wish,
} from '../../src/decide/selection/select-account.js';
import {
  type ChannelUsage,
  countActions,
  EMPTY_WINDOW,
  type UsageWindow,
} from '../../src/decide/limits/usage-window.js';

const now = Date.parse('2026-03-01T12:00:00.000Z');
const midnight = Date.parse('2026-03-02T00:00:00.000Z');
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const inviting: Wish = { purpose: 'invite_campaign', hasChannel: true, leaseMs: 30 * MINUTE, policy: DEFAULT_LIMITS };
const candidate = (accountId: string, changes: Partial<Candidate> = {}): Candidate => ({
  accountId,
  lastUsedAt: now - HOUR,
  errorCount: 0,
  windows: {},
  channelUsage: {},
  ...changes,
});
/** A window with one invitation at each of these distances before now, milliseconds. */
const invitedBefore = (...distances: number[]) => ({
  invite: distances.reduce((w, ms) => countActions(w, 1, DEFAULT_LIMITS.invite, now - ms), EMPTY_WINDOW),
});
const inChannel = (dayCount: number, total: number) => ({ invite: { day: '2026-03-01', dayCount, total } });
const order = (candidates: Candidate[], wish = inviting) =>
  rankCandidates(candidates, wish, now).ranked.map(({ accountId }) => accountId);

test('a fresh account suits, at once and wholly', () => {
  expect(judgeCandidate(candidate('a'), inviting, now)).toEqual({
    eligible: true,
    eligibleAt: now,
    readyAt: now,
    headroom: 1,
  });
});

const fullDay: UsageWindow = {
  recentAt: [],
  burstCount: 1,
  lastActionAt: now - 2 * HOUR,
  day: '2026-03-01',
  dayCount: 30,
};

test.each<[string, Partial<Candidate>, Partial<ReturnType<typeof judgeCandidate>>]>([
  ['the day is full', { windows: { invite: fullDay } }, { eligible: false, eligibleAt: midnight }],
  ['the channel is full today', { channelUsage: inChannel(15, 15) }, { eligible: false, eligibleAt: midnight }],
  [
    'the channel is full for ever',
    { channelUsage: inChannel(1, 200) },
    { eligible: false, eligibleAt: null, readyAt: null },
  ],
  [
    'a cooldown ends within the lease',
    { windows: invitedBefore(SECOND) },
    { eligible: true, readyAt: now + 119 * SECOND },
  ],
  [
    'the hour is full, and stays so for as long as the lease',
    { windows: invitedBefore(...[30, 26, 22, 12, 6].map((m) => m * MINUTE)) },
    { eligible: false, eligibleAt: now + 1, readyAt: now + 30 * MINUTE },
  ],
  [
    'the hour is full, and frees up just before the lease ends',
    { windows: invitedBefore(30 * MINUTE + 1, ...[26, 22, 12, 6].map((m) => m * MINUTE)) },
    { eligible: true, eligibleAt: now, readyAt: now + 30 * MINUTE - 1 },
  ],
])('%s', (_, changes, expected) => {
  expect(judgeCandidate(candidate('a', changes), inviting, now)).toMatchObject(expected);
});

test('the channel counts only for a wish with a channel, and other actions never', () => {
  const full = candidate('a', { channelUsage: inChannel(15, 200) });
  expect(judgeCandidate(full, { ...inviting, hasChannel: false }, now).eligible).toBe(true);
  const messaging: Wish = { ...inviting, purpose: 'message_campaign' };
  expect(judgeCandidate(candidate('a', { windows: { invite: fullDay } }), messaging, now).eligible).toBe(true);
});

test('managing channels needs room to join or to leave; nothing limits a general purpose', () => {
  const fullJoins: UsageWindow = { ...fullDay, dayCount: 20 };
  const managing: Wish = { ...inviting, purpose: 'channel_management' };
  const judge = (windows: Candidate['windows'], wish = managing) =>
    judgeCandidate(candidate('a', { windows }), wish, now);
  expect(judge({ join_channel: fullJoins })).toEqual({ eligible: true, eligibleAt: now, readyAt: now, headroom: 1 });
  expect(judge({ join_channel: fullJoins, leave_channel: fullJoins })).toMatchObject({
    eligible: false,
    eligibleAt: midnight,
  });
  const everything = { invite: fullDay, join_channel: fullJoins, leave_channel: fullJoins };
  expect(judge(everything, { ...inviting, purpose: 'general' }).eligible).toBe(true);
});

test('headroom is the least part left of any counting limit', () => {
  const windows = invitedBefore(50 * MINUTE, 40 * MINUTE);
  expect(judgeCandidate(candidate('a', { windows }), inviting, now).headroom).toBe(3 / 5);
  const both = candidate('a', { windows, channelUsage: inChannel(2, 150) });
  expect(judgeCandidate(both, inviting, now).headroom).toBe(50 / 200);
});

test('the rested go first; headroom and errors weigh up to half an hour of rest each', () => {
  const rested = (minutes: number) => ({ lastUsedAt: now - minutes * MINUTE });
  expect(order([candidate('a', rested(10)), candidate('b', rested(90)), candidate('c', rested(30))])).toEqual([
    'b',
    'c',
    'a',
  ]);
  const halfUsed = { channelUsage: inChannel(1, 100) };
  expect(order([candidate('a', { ...rested(70), ...halfUsed }), candidate('b', rested(56))])).toEqual(['b', 'a']);
  expect(order([candidate('a', { ...rested(70), ...halfUsed }), candidate('b', rested(54))])).toEqual(['a', 'b']);
  const failing = (errorCount: number) => ({ ...rested(70), errorCount });
  expect(order([candidate('a', failing(2)), candidate('b', rested(65))])).toEqual(['b', 'a']);
  expect(order([candidate('a', failing(1)), candidate('b', rested(65))])).toEqual(['a', 'b']);
  expect(order([candidate('a', failing(1000)), candidate('b', rested(41))])).toEqual(['b', 'a']);
  expect(order([candidate('a', failing(1000)), candidate('b', rested(39))])).toEqual(['a', 'b']);
});

test('ready before pausing, new before used, equals by id', () => {
  const long = now - 20 * HOUR;
  const pausing = candidate('a', { windows: invitedBefore(SECOND), lastUsedAt: long });
  const shortPause = candidate('b', { windows: invitedBefore(100 * SECOND), lastUsedAt: long });
  const used = candidate('c', { lastUsedAt: now - MINUTE });
  const fresh = candidate('d', { lastUsedAt: null, errorCount: 5 });
  const fresher = candidate('e', { lastUsedAt: null });
  expect(order([pausing, used, fresh, shortPause, fresher])).toEqual(['e', 'd', 'c', 'b', 'a']);
  expect(order([candidate('b'), candidate('c'), candidate('a')])).toEqual(['a', 'b', 'c']);
});

test('none suits: how many do, and when the first will', () => {
  const day = candidate('a', { windows: { invite: fullDay } });
  const ever = candidate('b', { channelUsage: inChannel(1, 200) });
  expect(selectAccount([day, ever], inviting, now)).toEqual({ chosen: null, eligible: 0, nextAvailableAt: midnight });
  expect(selectAccount([ever], inviting, now)).toEqual({ chosen: null, eligible: 0, nextAvailableAt: null });
  expect(selectAccount([], inviting, now)).toEqual({ chosen: null, eligible: 0, nextAvailableAt: null });
  const fine = candidate('c');
  expect(selectAccount([day, fine, ever], inviting, now)).toEqual({
    chosen: fine,
    eligible: 1,
    nextAvailableAt: midnight,
  });
});

const windowArbitrary: fc.Arbitrary<UsageWindow> = fc
  .array(fc.integer({ min: 0, max: 20 * HOUR }), { maxLength: 8 })
  .map((distances) => invitedBefore(...distances.sort((a, b) => b - a)).invite);
const usageArbitrary: fc.Arbitrary<ChannelUsage> = fc
  .tuple(fc.nat(16), fc.nat(205))
  .map(([dayCount, more]) => ({ day: '2026-03-01', dayCount, total: dayCount + more }));
const candidates = fc.uniqueArray(
  fc.record({
    accountId: fc.uuid(),
    lastUsedAt: fc.option(fc.integer({ min: now - 48 * HOUR, max: now }), { nil: null }),
    errorCount: fc.nat(40),
    windows: fc.record({ invite: windowArbitrary }),
    channelUsage: fc.record({ invite: usageArbitrary }),
  }),
  { selector: ({ accountId }) => accountId, maxLength: 30 },
);

test('the order of the input does not matter', () => {
  fc.assert(
    fc.property(
      candidates.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        expect(rankCandidates(shuffled, inviting, now)).toEqual(rankCandidates(all, inviting, now));
      },
    ),
  );
});

test('the eligible can act during the lease, and the others are told the exact instant from which they are', () => {
  fc.assert(
    fc.property(candidates, fc.integer({ min: MINUTE, max: 24 * HOUR }), (all, leaseMs) => {
      const wish = { ...inviting, leaseMs };
      const { ranked, nextAvailableAt } = rankCandidates(all, wish, now);
      for (const { windows, channelUsage } of ranked) {
        const input = {
          window: windows.invite,
          channel: channelUsage.invite,
          policy: DEFAULT_LIMITS.invite,
        };
        const verdict = evaluateLimits(input, now);
        expect(verdict.allowed || (verdict.nextAllowedAt ?? Number.NaN) < now + leaseMs).toBe(true);
      }
      const others = all.filter((one) => !ranked.includes(one));
      const howMany = (at: number) => rankCandidates(others, wish, at).ranked.length;
      if (nextAvailableAt === null) {
        for (const days of [1, 2, 9]) expect(howMany(now + days * 24 * HOUR)).toBe(0);
      } else {
        expect(howMany(nextAvailableAt - 1)).toBe(0);
        expect(howMany(nextAvailableAt)).toBeGreaterThan(0);
      }
    }),
  );
});

test('whoever is ready and has rested an hour longer goes first, whatever else speaks against it', () => {
  fc.assert(
    fc.property(candidates, (all) => {
      const ready = all.filter((one) => judgeCandidate(one, inviting, now).readyAt === now && one.lastUsedAt !== null);
      const { ranked } = rankCandidates(ready, inviting, now);
      ranked.forEach((before, i) => {
        for (const after of ranked.slice(i + 1)) {
          expect((before.lastUsedAt ?? 0) - (after.lastUsedAt ?? 0)).toBeLessThanOrEqual(HOUR);
        }
      });
    }),
  );
});

test('no eligible account starves: with a grant a minute, each of n waits at most an hour and two rounds', () => {
  // From the best to the worst that stays eligible: much or little headroom, none or many errors.
  const fleet = fc.array(fc.record({ errorCount: fc.nat(1000), total: fc.nat(199) }), { minLength: 2, maxLength: 12 });
  const bestAndWorst = [
    { errorCount: 0, total: 0 },
    { errorCount: 1000, total: 199 },
  ];
  const unlimited = {
    cooldownSeconds: null,
    burstLimit: null,
    hourlyLimit: null,
    dailyLimit: null,
    perChannelDaily: null,
  };
  const policy = { ...DEFAULT_LIMITS, invite: { ...DEFAULT_LIMITS.invite, ...unlimited } };
  const wish = { ...inviting, policy, leaseMs: MINUTE };
  let longest = 0;
  fc.assert(
    fc.property(fleet, (accounts) => {
      let pool = accounts.map(({ errorCount, total }, i) =>
        candidate(`account ${i}`, { errorCount, channelUsage: inChannel(0, total), lastUsedAt: now }),
      );
      for (let at = now; at < now + 5 * HOUR; at += MINUTE) {
        const { chosen } = selectAccount(pool, wish, at);
        if (chosen === null) throw new Error('nobody was eligible');
        pool = pool.map((one) => (one === chosen ? { ...one, lastUsedAt: at + MINUTE } : one));
        const rest = Math.max(...pool.map((one) => at - (one.lastUsedAt ?? 0)));
        longest = Math.max(longest, rest);
        expect(rest).toBeLessThanOrEqual(HOUR + 2 * pool.length * MINUTE);
      }
    }),
    { numRuns: 8, examples: [[bestAndWorst]] },
  );
  // The control: some account did have to wait for its rest to make up for what speaks against it.
  expect(longest).toBeGreaterThan(HOUR / 2);
});
