import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CountedUsage, type ReportedUsage, reconcileUsage } from '../../src/decide/limits/reconcile-usage.js';

const NOTHING: ReportedUsage = { invites_sent: 0, messages_sent: 0, contacts_added: 0 };
const invited = (quantity: number, channel: string | null = null): CountedUsage => ({
  actionType: 'invite',
  channel,
  quantity,
});
const reconcile = (
  reported: Partial<ReportedUsage>,
  countedInLease: CountedUsage[] = [],
  leaseChannel: string | null = null,
) => reconcileUsage({ reported: { ...NOTHING, ...reported }, countedInLease, leaseChannel });

/** Invites added: to the account, and by channel. */
const invites = (...given: Parameters<typeof reconcile>) => {
  const addition = reconcile(...given).additions.find(({ actionType }) => actionType === 'invite');
  return [addition?.quantity ?? 0, Object.fromEntries(addition?.byChannel.map((c) => [c.channel, c.quantity]) ?? [])];
};

test('nothing done, nothing added', () => {
  const nothing = { additions: [], counted: { invites: 0, messages: 0, contacts: 0 } };
  expect(reconcile({})).toEqual(nothing);
  expect(reconcile({ channels_used: ['a', 'b'], channel_usage: { a: 0 } }, [], 'c')).toEqual(nothing);
  expect(reconcile({}, [invited(3, 'a')], 'a')).toEqual(nothing);
});

test('actions that were not counted before are added, kind by kind', () => {
  const counted: CountedUsage[] = [
    invited(2),
    { actionType: 'message', channel: null, quantity: 9 },
    { actionType: 'parse', channel: null, quantity: 100 },
  ];
  expect(reconcile({ invites_sent: 5, messages_sent: 4, contacts_added: 1 }, counted)).toEqual({
    additions: [
      { actionType: 'invite', quantity: 3, byChannel: [] },
      { actionType: 'add_contact', quantity: 1, byChannel: [] },
    ],
    counted: { invites: 3, messages: 0, contacts: 1 },
  });
});

test('recorded, then reported: counted once, on the account and in the channel', () => {
  const counted = [invited(2, 'a'), invited(3, 'a')];
  expect(invites({ invites_sent: 5 }, counted, 'a')).toEqual([0, {}]);
  expect(invites({ invites_sent: 5, channels_used: ['a'] }, counted)).toEqual([0, {}]);
  expect(invites({ invites_sent: 5, channel_usage: { a: 5 } }, counted)).toEqual([0, {}]);
  expect(invites({ invites_sent: 9, channels_used: ['a', 'b'] }, [invited(5, 'a'), invited(4, 'b')])).toEqual([0, {}]);
});

test.each<[string, Parameters<typeof reconcile>, [number, Record<string, number>]]>([
  [
    'the split says where',
    [{ invites_sent: 7, channel_usage: { a: 4, b: 3 } }, [invited(1, 'a')]],
    [6, { a: 3, b: 3 }],
  ],
  [
    'a split beyond the total is what was reported',
    [{ invites_sent: 2, channel_usage: { a: 4, b: 3 } }],
    [7, { a: 4, b: 3 }],
  ],
  [
    'without a split each channel is charged all',
    [{ invites_sent: 6, channels_used: ['a', 'b'] }],
    [6, { a: 6, b: 6 }],
  ],
  [
    '… all that is not known by channel',
    [{ invites_sent: 10, channels_used: ['a', 'b'] }, [invited(4, 'a'), invited(3, 'b')]],
    [3, { a: 3, b: 3 }],
  ],
  ['… of other channels too', [{ invites_sent: 10, channels_used: ['a'] }, [invited(4, 'z')]], [6, { a: 6 }]],
  [
    'counted in no channel: the channel is behind, the account is not',
    [{ invites_sent: 5, channels_used: ['a'] }, [invited(5)]],
    [0, { a: 5 }],
  ],
  ['the lease’s channel where none is named', [{ invites_sent: 5 }, [invited(2, 'c')], 'c'], [3, { c: 3 }]],
  ['an empty list names none', [{ invites_sent: 5, channels_used: [], channel_usage: {} }, [], 'c'], [5, { c: 5 }]],
  ['named channels, not the lease’s', [{ invites_sent: 5, channels_used: ['a'] }, [], 'c'], [5, { a: 5 }]],
  [
    'a split of a part: the rest to the other named channels',
    [{ invites_sent: 10, channel_usage: { a: 4 }, channels_used: ['a', 'b'] }],
    [10, { a: 4, b: 6 }],
  ],
  ['… or to the lease’s', [{ invites_sent: 10, channel_usage: { a: 4 } }, [], 'c'], [10, { a: 4, c: 6 }]],
  [
    'more counted than reported takes nothing back',
    [{ invites_sent: 2, channel_usage: { a: 1 } }, [invited(5, 'a')]],
    [0, {}],
  ],
  [
    'a channel named __proto__ is a channel',
    [{ invites_sent: 2, channels_used: ['__proto__'] }],
    [2, Object.fromEntries([['__proto__', 2]])],
  ],
])('%s', (_, given, expected) => {
  expect(invites(...given)).toEqual(expected);
});

test('a channel named twice is charged once', () => {
  expect(reconcile({ invites_sent: 6, channels_used: ['a', 'a'] }).additions).toEqual([
    { actionType: 'invite', quantity: 6, byChannel: [{ channel: 'a', quantity: 6 }] },
  ]);
});

test('messages go to the named channels or the lease’s, contacts to none; the split is of invites alone', () => {
  const reported = { messages_sent: 2, contacts_added: 3, channel_usage: { b: 1 } };
  expect(reconcile(reported, [], 'c')).toEqual({
    additions: [
      { actionType: 'invite', quantity: 1, byChannel: [{ channel: 'b', quantity: 1 }] },
      { actionType: 'message', quantity: 2, byChannel: [{ channel: 'c', quantity: 2 }] },
      { actionType: 'add_contact', quantity: 3, byChannel: [] },
    ],
    counted: { invites: 1, messages: 2, contacts: 3 },
  });
});

/** Invites in each channel as they happened, by where they were counted: there, in no channel, or not at all. */
const truth = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.record({ there: fc.nat(4), inNoChannel: fc.nat(4), uncounted: fc.nat(4) }),
  { minKeys: 1 },
);
type Way = 'split' | 'part of the split' | 'channels' | 'lease';
const ways = fc.constantFrom<Way>('split', 'part of the split', 'channels', 'lease');

test('the account counts the truth exactly once, and no channel less than the truth', () => {
  const seen = { exact: 0, over: 0 };
  fc.assert(
    fc.property(truth, ways, (happened, wanted) => {
      const channels = Object.keys(happened);
      const way = wanted === 'lease' && channels.length > 1 ? 'channels' : wanted;
      const done = Object.entries(happened).map(
        ([channel, n]) => [channel, n.there + n.inNoChannel + n.uncounted] as const,
      );
      const total = done.reduce((sum, [, n]) => sum + n, 0);
      const countedInLease = Object.entries(happened)
        .flatMap(([channel, n]) => [invited(n.there, channel), invited(n.inNoChannel)])
        .filter(({ quantity }) => quantity > 0);
      const report: Record<Way, Partial<ReportedUsage>> = {
        split: { channel_usage: Object.fromEntries(done) },
        'part of the split': { channel_usage: Object.fromEntries(done.slice(1)), channels_used: channels },
        channels: { channels_used: channels },
        lease: {},
      };
      const leaseChannel = way === 'lease' ? (channels[0] ?? null) : null;
      const reported = { invites_sent: total, ...report[way] };
      const [added, addedIn] = invites(reported, countedInLease, leaseChannel) as [number, Record<string, number>];

      const counted = countedInLease.reduce((sum, { quantity }) => sum + quantity, 0);
      expect(counted + added).toBe(total);
      for (const [channel, n] of done) {
        const there = (happened[channel]?.there ?? 0) + (addedIn[channel] ?? 0);
        expect(there).toBeGreaterThanOrEqual(n);
        if (way === 'split' || channels.length === 1) expect(there).toBe(n);
        expect(there).toBeLessThanOrEqual(total);
        seen[there === n ? 'exact' : 'over'] += 1;
      }
      expect(Object.keys(addedIn).every((channel) => channels.includes(channel))).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(Math.min(seen.exact, seen.over)).toBeGreaterThan(50);
});
