import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createAccountMemory } from '../../src/accounts/account-memory.js';
import { NEW_CONDITION } from '../../src/decide/condition/account-condition.js';
import type { RememberedAccount } from '../../src/store/accounts/read-accounts.js';

const known = (accountId: string, metadata = '{}'): RememberedAccount => ({
  record: {
    accountId,
    version: '7',
    userId: 1,
    phone: null,
    condition: NEW_CONDITION,
    lease: null,
    fence: 0,
    sequence: 1,
    usageVersion: 0,
    lastUsedAt: null,
    usageDay: null,
    invitesByChannelToday: {},
    windows: new Map(),
    channels: new Map(),
  },
  connection: { sealed: Buffer.alloc(0), keyId: 'k', metadata },
  channels: null,
  counted: null,
  permits: new Map(),
});

const idsOf = (accounts: RememberedAccount[] | null) => accounts?.map(({ record }) => record.accountId);

test('an account is in the hands of one batch at a time', () => {
  const memory = createAccountMemory();
  memory.keep([known('a')]);
  const taken = memory.take('a');
  expect(taken?.record.accountId).toBe('a');
  expect(memory.take('a')).toBeUndefined();
  memory.keep([taken!]);
  expect(memory.take('a')).toBe(taken);
});

test('candidates come in their order, those that were not used first again', () => {
  const memory = createAccountMemory();
  memory.keep(['a', 'b', 'c', 'd'].map((id) => known(id)));
  memory.lines.lineUp(1, ['a', 'b', 'c', 'd'], { isWhole: false });
  const first = memory.takeCandidates(1, { count: 3, least: 1 });
  expect(idsOf(first)).toEqual(['a', 'b', 'c']);
  memory.keep(first!);
  memory.lines.of(1)?.ids.unshift('b', 'c');
  expect(idsOf(memory.takeCandidates(1, { count: 3, least: 1 }))).toEqual(['b', 'c', 'd']);
});

test('too few candidates are an answer only where the user has no others', () => {
  const memory = createAccountMemory();
  memory.keep(['a', 'b'].map((id) => known(id)));
  memory.lines.lineUp(1, ['a'], { isWhole: true });
  expect(idsOf(memory.takeCandidates(1, { count: 3, least: 1 }))).toEqual(['a']);
  memory.lines.lineUp(1, ['a'], { isWhole: true });
  memory.keep([known('a')]);
  expect(memory.takeCandidates(1, { count: 3, least: 2 })).toBeNull();
  memory.lines.lineUp(2, ['b'], { isWhole: false });
  expect(memory.takeCandidates(2, { count: 3, least: 1 })).toBeNull();
  // It is still remembered by its name.
  expect(memory.take('b')).toBeDefined();
  expect(memory.takeCandidates(3, { count: 1, least: 1 })).toBeNull();
});

test('an account that is given back stands last, unless others of the user may stand between', () => {
  const memory = createAccountMemory();
  memory.lines.lineUp(1, ['a', 'b'], { isWhole: true });
  memory.lines.lineUpAgain(1, 'c');
  memory.lines.lineUpAgain(1, 'c');
  expect(memory.lines.of(1)?.ids).toEqual(['a', 'b', 'c']);
  memory.lines.lineUp(2, ['a', 'b'], { isWhole: false });
  memory.lines.lineUpAgain(2, 'c');
  expect(memory.lines.of(2)?.ids).toEqual(['a', 'b']);
  memory.lines.lineUpAgain(3, 'c');
  expect(memory.lines.of(3)).toBeUndefined();
});

test('a user whose candidates are used up quickly has more of them read at once, up to a bound', () => {
  const memory = createAccountMemory();
  const seen = Array.from({ length: 8 }, () => {
    memory.lines.lineUp(1, [], { isWhole: false });
    memory.takeCandidates(1, { count: 1, least: 1 });
    return memory.lines.ahead(1);
  });
  expect(seen).toEqual([8, 16, 32, 64, 128, 128, 128, 128]);
});

test('candidates are forgotten when an account of the user may be a better one', () => {
  const memory = createAccountMemory();
  memory.keep([known('a')]);
  memory.lines.lineUp(1, ['a'], { isWhole: true });
  memory.lines.forget(1);
  expect(memory.takeCandidates(1, { count: 1, least: 1 })).toBeNull();
});

test('each conflict in a row doubles the batches that go without; each that stands takes one off', () => {
  const memory = createAccountMemory();
  const pauseAfterConflict = (): number => {
    memory.failed();
    let batches = 0;
    while (!memory.isTrusted()) batches += 1;
    return batches;
  };
  expect([1, 2, 3, 4].map(pauseAfterConflict)).toEqual([1, 2, 4, 8]);
  for (let stood = 0; stood < 6; stood++) memory.stood();
  expect(pauseAfterConflict()).toBe(4);
  for (let more = 0; more < 20; more++) pauseAfterConflict();
  expect(pauseAfterConflict()).toBe(256);
});

test('a conflict after another takes everything from memory', () => {
  const memory = createAccountMemory();
  memory.keep([known('a')]);
  memory.failed();
  expect(memory.take('a')).toBeDefined();
  memory.keep([known('a')]);
  memory.lines.lineUp(1, ['a'], { isWhole: true });
  memory.databaseClock.note(1_000);
  memory.failed();
  expect(memory.take('a')).toBeUndefined();
  expect(memory.takeCandidates(1, { count: 1, least: 1 })).toBeNull();
  expect(memory.databaseClock.now()).toBeNull();
});

test('a fresh reading takes the place of what is older', () => {
  const memory = createAccountMemory();
  const [older, newer] = [known('a'), known('a')];
  newer.record.sequence = 2;
  memory.keep([newer]);
  memory.keepNewer([older]);
  expect(memory.take('a')).toBe(newer);
  memory.keep([older]);
  memory.keepNewer([newer]);
  expect(memory.take('a')).toBe(newer);
});

test('another run of the server takes everything from memory', () => {
  const memory = createAccountMemory();
  memory.noteServer('one');
  memory.keep([known('a')]);
  memory.noteServer('one');
  expect(memory.take('a')).toBeDefined();
  memory.keep([known('a')]);
  memory.noteServer('two');
  expect(memory.take('a')).toBeUndefined();
});

test('it holds so many accounts at most, the latest, and none that is large', () => {
  const memory = createAccountMemory();
  const ids = Array.from({ length: 5_010 }, () => randomUUID());
  for (const id of ids) memory.keep([known(id)]);
  expect(ids.slice(0, 10).map((id) => memory.take(id))).toEqual(Array(10).fill(undefined));
  expect(memory.take(ids[10]!)).toBeDefined();
  memory.keep([known('large', 'x'.repeat(20_000))]);
  expect(memory.take('large')).toBeUndefined();
});
