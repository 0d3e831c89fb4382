import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createWaitingRoom, type WaitingRoom } from '../../src/requests/waiting-room.js';
import type { IncomingRequest } from '../../src/requests/request.js';
import { captureStatements } from '../support/query-plans.js';
import { eventually } from '../support/eventually.js';
import { letLeaseEnd, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const wish = (user: number, more: Record<string, unknown> = {}) => ({
  user_id: user,
  purpose: 'general',
  service_name: 'inviting',
  ...more,
});
const stays = () => Promise.resolve(false);

/** Requests that wait, one after the other; `served` names them in the order in which they were granted. */
async function lineUp(user: number, names: readonly string[]) {
  const served: string[] = [];
  const answers: Promise<void>[] = [];
  for (const service_name of names) {
    const reply = harness.call('account.allocate', wish(user, { service_name, wait_ms: 30_000 }));
    answers.push(
      reply.then(({ success }) => {
        if (success) served.push(service_name);
      }),
    );
    // Refused by now, so that it stands in the line.
    await harness.refusal('account.allocate', wish(user, { service_name: 'prober' }));
  }
  return { served, all: Promise.all(answers) };
}

test('those who wait are served in the order they came, however often they have asked again', async () => {
  const user = newUser();
  const [account_id] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const names = ['one', 'two', 'three', 'four', 'five'];
  const { served, all } = await lineUp(user, names);
  // Each has asked again by itself.
  await pause(2_500);
  for (const service_name of ['inviting', ...names.slice(0, -1)]) {
    const usage_stats = { success: true };
    await harness.succeed('account.release', { account_id, service_name, usage_stats });
    // A newcomer does not overtake them: it is refused, or it would have been granted.
    const newcomer = await harness.call('account.allocate', wish(user, { service_name: 'newcomer' }));
    expect(newcomer).toMatchObject({ success: false, error: { code: 'ALL_BUSY' } });
  }
  await all;
  expect(served).toEqual(names);
});

test('each of two instances serves those who wait there in the order they came, and all are served', async () => {
  const user = newUser();
  const [account_id] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const instances = [harness.dispatch, harness.another()];
  const served: string[] = [];
  const answers: Promise<unknown>[] = [];
  const asked = new Map<string, number>();
  // By turns, so that each line has a gap where the other instance's next waiter would stand.
  for (const name of ['a 1', 'b 1', 'a 2', 'b 2', 'a 3', 'b 3']) {
    const dispatch = instances[name.startsWith('a') ? 0 : 1]!;
    const service_name = name.replace(' ', '-');
    const hasGone = () => {
      asked.set(name, (asked.get(name) ?? 0) + 1);
      return stays();
    };
    const request = requestOf('account.allocate', wish(user, { service_name, wait_ms: 60_000 }));
    answers.push(dispatch({ ...request, hasGone }).then(({ success }) => success && served.push(service_name)));
    // Refused there by now, so that it stands in the line.
    await dispatch(requestOf('account.allocate', wish(user, { service_name: 'prober' })));
  }
  // Each has asked again by itself: a caller is asked after whenever it is to ask.
  await eventually('all have asked again', () => [...asked.values()].filter((times) => times > 2).length === 6);
  for (let turn = 0; turn < 6; turn++) {
    const service_name = ['inviting', ...served].at(-1);
    await harness.succeed('account.release', { account_id, service_name, usage_stats: { success: true } });
    await eventually('the next is served', () => served.length > turn);
  }
  await Promise.all(answers);
  const ofInstance = (name: string) => served.filter((service) => service.startsWith(name));
  expect(ofInstance('a')).toEqual(['a-1', 'a-2', 'a-3']);
  expect(ofInstance('b')).toEqual(['b-1', 'b-2', 'b-3']);
});

test.each([
  ['disabled', `status = 'disabled', is_active = false, disabled_reason = 'manual'`, {}, 'ALL_RESTRICTED'],
  ['draining', `status = 'draining'`, {}, 'ALL_RESTRICTED'],
  ['blocked for longer', `status = 'blocked', blocked_until = now() + interval '1 hour'`, {}, 'ALL_RESTRICTED'],
  [
    'required and disabled',
    `status = 'disabled', is_active = false, disabled_reason = 'manual'`,
    null,
    'PREFERRED_UNAVAILABLE',
  ],
])('a wait that cannot end is answered at once: the account is %s', async (_what, columns, more, code) => {
  const user = newUser();
  const [account_id] = await harness.registerAccounts(user, 1);
  await harness.query(`UPDATE telegram_sessions SET ${columns} WHERE id = $1`, [account_id]);
  const startedAt = Date.now();
  const preference = { preferred_account_id: account_id, preferred_mode: 'require' };
  const body = wish(user, { wait_ms: 30_000, ...(more ?? preference) });
  expect((await harness.refusal('account.allocate', body)).code).toBe(code);
  expect(Date.now() - startedAt).toBeLessThan(10_000);
});

test('a wait goes on where an account is only leased, or recovers in time', async () => {
  const user = newUser();
  const [account_id = ''] = await harness.registerAccounts(user, 1);
  await harness.query(
    `UPDATE telegram_sessions SET status = 'flood_wait', flood_wait_until = now() + interval '3 seconds' WHERE id = $1`,
    [account_id],
  );
  const granted = await harness.succeed('account.allocate', wish(user, { wait_ms: 30_000 }));
  expect(granted.allocation.account_id).toBe(account_id);
  const waiting = harness.succeed('account.allocate', wish(user, { wait_ms: 30_000, service_name: 'patient' }));
  await harness.refusal('account.allocate', wish(user));
  await letLeaseEnd(harness, account_id);
  expect((await waiting).allocation.allocated_by).toBe('patient');
});

test('a caller that its door finds gone is given nothing, and the next in the line is', async () => {
  const user = newUser();
  const [account_id] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  let isGone = false;
  const request = requestOf('account.allocate', wish(user, { wait_ms: 30_000, service_name: 'leaving' }));
  const leaving = harness.dispatch({ ...request, hasGone: () => Promise.resolve(isGone) });
  await harness.refusal('account.allocate', wish(user));
  const { served, all } = await lineUp(user, ['next']);
  isGone = true;
  await harness.succeed('account.release', { account_id, service_name: 'inviting', usage_stats: {} });
  expect(await leaving).toMatchObject({ success: false, error: { code: 'ALL_BUSY' } });
  await all;
  expect(served).toEqual(['next']);
});

/** Enters so many times; answers how many places were had. */
const enterOften = (room: WaitingRoom, times: number, caller: (index: number) => string): number =>
  Array.from({ length: times }, (_, index) =>
    room.enter({ userId: index, caller: caller(index), hasGone: stays }),
  ).filter((place) => place !== null).length;

test('one caller has a share of the places, all callers together have them all', () => {
  const room = createWaitingRoom();
  expect(enterOften(room, 200, () => 'greedy')).toBe(32);
  expect(enterOften(room, 200, (index) => `caller ${index}`)).toBe(96);
});

test('a place that is left can be had again, by whoever was refused for the share', () => {
  const room = createWaitingRoom();
  const places = Array.from({ length: 32 }, () => room.enter({ userId: 1, caller: 'one', hasGone: stays }));
  expect(room.enter({ userId: 1, caller: 'one', hasGone: stays })).toBeNull();
  places[7]?.leave();
  places[7]?.leave();
  expect(enterOften(room, 2, () => 'one')).toBe(1);
});

test('a repeat of a waiting request that finds no place asks on with pauses, and gets the same answer', async () => {
  const user = newUser();
  const [account_id] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  // All places that the caller may have, and one more under the first one's message id.
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const ask = (envelope: Partial<IncomingRequest>) =>
    harness.dispatch(requestOf('account.allocate', wish(user, { service_name: 'busy', wait_ms: 60_000 }), envelope));
  const messageId = randomUUID();
  const first = ask({ messageId });
  const others = Array.from({ length: 31 }, () => ask({ gone: leaving.signal }));
  await harness.refusal('account.allocate', wish(user, { service_name: 'prober' }));
  const repeats: ReturnType<typeof ask>[] = [];
  const sent = await captureStatements(async () => {
    repeats.push(ask({ messageId }));
    await pause(4_000);
  });
  // The line asks by itself every two seconds, and the repeat does so up to eight times, each time in front of all others.
  const asked = sent.filter(({ text }) => text.includes('FOR UPDATE SKIP LOCKED'));
  expect(asked.length).toBeLessThan(60);
  await harness.succeed('account.release', { account_id, service_name: 'inviting', usage_stats: { success: true } });
  expect(await first).toMatchObject({ success: true });
  expect(await repeats[0]).toEqual(await first);
  leaving.abort();
  for (const answer of await Promise.all(others)) expect(answer).toMatchObject({ error: { code: 'ALL_BUSY' } });
});

test('who is told to have gone leaves at once, and its place with it', async () => {
  const room = createWaitingRoom();
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const visitor = { userId: 1, caller: 'one', gone: leaving.signal, hasGone: stays };
  const places = Array.from({ length: 32 }, () => room.enter(visitor));
  const waiting = places.flatMap((place) => place?.wait(60_000) ?? []);
  leaving.abort();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['gone']));
  expect(enterOften(room, 40, () => 'one')).toBe(32);
});

test('a wake-up that comes while somebody asks is not lost', async () => {
  const room = createWaitingRoom();
  const place = room.enter({ userId: 1, caller: 'one', hasGone: stays });
  room.wake(1);
  expect(await place?.wait(60_000)).toBe('turn');
});

test('when the room closes nobody waits any longer, and nobody enters', async () => {
  const room = createWaitingRoom();
  const waiting = [1, 2, 3].map((userId) => {
    const place = room.enter({ userId, caller: 'one', hasGone: stays });
    return place === null ? Promise.reject(new Error('no place')) : place.wait(60_000);
  });
  const behind = room.comeBehind(1);
  room.close();
  expect(await Promise.all(waiting)).toEqual(['closed', 'closed', 'closed']);
  await behind;
  expect(room.enter({ userId: 1, caller: 'one', hasGone: stays })).toBeNull();
});
