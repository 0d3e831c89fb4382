import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { clock } from '../../src/clock.js';
import type { ReplyBody } from '../../contracts/operations.js';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { holdAccount, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

type Entry = ReplyBody<'query.events'>['events'][number];

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const read = (body: Record<string, unknown>, caller: string | null = null) =>
  ask(harness, 'query.events', body, { caller });

/** Reads on until nothing comes any more. */
const readAll = async (body: Record<string, unknown>, after?: string) => {
  const entries: Entry[] = [];
  for (let from = after; ; ) {
    const page: ReplyBody<'query.events'> = await read({ ...body, after: from });
    entries.push(...page.events);
    if (page.events.length === 0) return { entries, after: page.next_after };
    from = page.next_after;
  }
};
const now = async (): Promise<string> => (await readAll({ limit: 500 })).after;
const typesOf = (entries: readonly Entry[]) => entries.map(({ event }) => event.type);

/** A transaction that has appended an event and is not over. */
const beginAppending = async (userId: number, accountId: string | null = null, sequence: number | null = null) => {
  const client = new pg.Client({ connectionString: harness.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  const append = async (at = sequence) => {
    const id = randomUUID();
    await client.query(
      `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
       VALUES ($1, 'account.renewed', $2, $3, $4, '{}', now())`,
      [id, accountId, userId, at],
    );
    return id;
  };
  const commit = async () => {
    await client.query('COMMIT');
    await client.end();
  };
  return { client, append, commit };
};

test('tells events as subscribers get them, and where to go on', async () => {
  const after = await now();
  const { user, accountId, holder } = await holdAccount(harness);
  const { events, next_after } = await read({ after });
  expect(typesOf(events)).toEqual(['account.registered', 'account.allocated']);
  expect(events[1]?.event).toMatchObject({
    specversion: '1.0',
    subject: accountId,
    data: { account_id: accountId, user_id: user, sequence: 2, lease_id: holder.lease_id },
  });
  expect((await read({ after: events[0]?.position })).events).toEqual([
    { position: expect.any(String), event: events[1]?.event },
  ]);
  expect(await read({ after: next_after })).toMatchObject({ events: [] });
  await ask(harness, 'account.renew', { ...holder });
  expect(typesOf((await read({ after: next_after })).events)).toEqual(['account.renewed']);
  const phone = JSON.stringify((await readAll({})).entries);
  expect(phone).not.toMatch(/"(phone|session_data)"/);
});

test.each([1, 3, 500])('pages of %d hold every event once', async (limit) => {
  const after = await now();
  const user = newUser();
  await harness.registerAccounts(user, 8);
  const { entries } = await readAll({ limit }, after);
  expect(new Set(entries.map(({ event }) => event.id)).size).toBe(8);
  expect(entries.length).toBe(8);
  // From any of them on there is the rest.
  for (const [index, { position }] of entries.entries()) {
    const { entries: rest } = await readAll({ limit: 3 }, position);
    expect(rest.map(({ event }) => event.id)).toEqual(entries.slice(index + 1).map(({ event }) => event.id));
  }
});

test('an event whose transaction commits late is told once, after those that were told before it', async () => {
  const user = newUser();
  const after = await now();
  const late = await beginAppending(user);
  const lateId = await late.append();
  await harness.registerAccounts(user, 2);
  const first = await readAll({ user_id: user }, after);
  expect(typesOf(first.entries)).toEqual(['account.registered', 'account.registered']);
  await late.commit();
  const second = await readAll({ user_id: user }, first.after);
  expect(second.entries.map(({ event }) => event.id)).toEqual([lateId]);
  // Also from the place of the first event that was told meanwhile.
  const again = await readAll({ user_id: user, limit: 1 }, first.entries[0]?.position);
  expect(again.entries.map(({ event }) => event.id)).toEqual([first.entries[1]?.event.id, lateId]);
  expect((await readAll({ user_id: user }, second.after)).entries).toEqual([]);
});

test('on one account the sequence rises, whichever transaction began first', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  const after = await now();
  const early = await beginAppending(user, accountId);
  // It has its number, and then waits for the account.
  await early.client.query('SELECT pg_current_xact_id()');
  const between = await beginAppending(user, accountId);
  await between.append(2);
  await between.commit();
  await early.append(3);
  await early.commit();
  for (const filter of [{}, { account_id: accountId }, { user_id: user }]) {
    const { entries } = await readAll({ ...filter, limit: 1 }, after);
    expect(entries.map(({ event }) => event.data.sequence)).toEqual([2, 3]);
  }
});

test('while many write and commit in any order, readers of any pace get everything once', async () => {
  const user = newUser();
  const after = await now();
  const written: string[] = [];
  let isOver = false;
  const writer = async (seed: number) => {
    for (let round = 0; round < 12; round++) {
      const transaction = await beginAppending(user);
      written.push(await transaction.append());
      if ((seed + round) % 3 === 0) written.push(await transaction.append());
      await new Promise((resolve) => setTimeout(resolve, (seed * 7 + round * 13) % 40));
      await transaction.commit();
    }
  };
  const reader = async (limit: number) => {
    const seen: string[] = [];
    let from = after;
    for (let wasOver = false; ; wasOver = isOver) {
      const { events, next_after } = await read({ user_id: user, after: from, limit });
      seen.push(...events.map(({ event }) => event.id));
      // Sometimes it goes on from the last event, as one that was interrupted does.
      from = events.length > 0 && events.length % 2 === 0 ? (events.at(-1)?.position ?? next_after) : next_after;
      if (wasOver && events.length === 0) return seen;
    }
  };
  const readers = [1, 2, 5, 500].map(reader);
  await Promise.all([1, 2, 3, 4].map(writer)).finally(() => (isOver = true));
  for (const seen of await Promise.all(readers)) expect(seen.toSorted()).toEqual(written.toSorted());
});

test('events of one account, of types, of a user; also where few of very many pass', async () => {
  const user = newUser();
  const [one = '', two = ''] = await harness.registerAccounts(user, 2);
  const after = await now();
  await harness.query(
    `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
     SELECT gen_random_uuid(), CASE WHEN n % 4000 = 0 THEN 'account.blocked' ELSE 'account.renewed' END, $1, $2, n, '{}', now()
     FROM generate_series(10, 12000) n`,
    [one, user],
  );
  await ask(harness, 'admin.set-status', { account_id: two, status: 'draining', reason: 'test' });
  expect(typesOf((await readAll({ types: ['account.blocked'], limit: 2 }, after)).entries)).toEqual(
    Array(3).fill('account.blocked'),
  );
  expect(typesOf((await read({ account_id: two })).events)).toEqual(['account.registered', 'account.draining']);
  expect(typesOf((await readAll({ types: ['account.draining', 'account.blocked'] }, after)).entries)).toEqual([
    ...Array(3).fill('account.blocked'),
    'account.draining',
  ]);
  // 6,000 events that do not pass lie before the first that does, and a transaction under way keeps the search far back.
  const open = await beginAppending(user);
  await open.append();
  const far = await now();
  await harness.query(
    `INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
     SELECT gen_random_uuid(), CASE WHEN n = 6001 THEN 'account.recovered' ELSE 'account.renewed' END, $1, $2, n + 12000, '{}', now()
     FROM generate_series(1, 6001) n`,
    [one, user],
  );
  expect(typesOf((await read({ types: ['account.recovered'] })).events)).toEqual(['account.recovered']);
  expect(typesOf((await read({ types: ['account.recovered'], after: far })).events)).toEqual(['account.recovered']);
  // One that looks for too long answers where to go on.
  const time = jest.spyOn(clock, 'monotonicMs');
  let at = performance.now();
  time.mockImplementation(() => (at += 4_000));
  const early = await read({ types: ['account.recovered'], after: far }).finally(() => time.mockRestore());
  expect(early.events).toEqual([]);
  const late = await read({ types: ['account.recovered'], after: early.next_after });
  expect(typesOf(late.events)).toEqual(['account.recovered']);
  await open.commit();
  const first = await read({ account_id: one, limit: 5, types: ['account.blocked'] });
  expect(first.events.map(({ event }) => event.data.sequence)).toEqual([4000, 8000, 12_000]);
});

test('a caller with listed users sees the events of these users alone', async () => {
  const [mine, theirs] = [newUser(), newUser()];
  const after = await now();
  await harness.registerAccounts(mine, 1);
  const [foreign] = await harness.registerAccounts(theirs, 1);
  await harness.query(
    `INSERT INTO events (event_id, type, data, occurred_at) VALUES (gen_random_uuid(), 'alert.info', '{}', now())`,
  );
  harness.access.replace(operatorsOf(mine));
  try {
    const usersOf = async (caller: string) =>
      (await read({ after }, caller)).events.map(({ event }) => event.data.user_id);
    expect(await usersOf('owner')).toEqual([mine]);
    expect(await usersOf('ops')).toEqual([mine, theirs, undefined]);
    for (const body of [{ user_id: theirs }, { account_id: foreign }]) {
      expect((await harness.refusal('query.events', body, { caller: 'owner' })).code).toBe('FORBIDDEN');
    }
  } finally {
    harness.access.replace(null);
  }
});

test('a text that is no position of the stream is refused', async () => {
  for (const after of ['tomorrow', '9-1-', '1', '']) {
    expect((await harness.refusal('query.events', { after })).message).toMatch(/^after: /);
  }
  expect((await harness.refusal('query.events', { types: ['account.lost'] })).message).toMatch(/^types/);
});
