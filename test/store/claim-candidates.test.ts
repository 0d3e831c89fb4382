import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { lockCandidates } from '../../src/store/accounts/claim-candidates.js';
import { loadAnsweredRequests } from '../../src/store/history/answered-requests.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { newUser } from '../support/held-account.js';

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;

beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 3, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

let nextAccount = 1;
/** An account of the user, with columns set as SQL says. */
async function addAccount(user: number, columns: Record<string, string> = {}): Promise<string> {
  const names = Object.keys(columns).map((name) => `, ${name}`);
  const values = Object.values(columns).map((value) => `, ${value}`);
  const number = String(nextAccount++);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint${names.join('')})
     VALUES (gen_random_uuid(), $1, $2, '', 'key', $2${values.join('')}) RETURNING id`,
    [user, number],
  );
  return rows[0]?.id ?? '';
}

const leasedUntil = (instant: string) => ({
  locked: 'true',
  locked_by: `'one'`,
  locked_until: instant,
  lease_id: 'gen_random_uuid()',
});
const usedAgo = (minutes: number) => ({ last_used_at: `now() - interval '${minutes} minutes'` });
const claim = (user: number, count = 10, seen: string[] = []) =>
  database.transaction(async (sql) => (await lockCandidates(sql, [{ userId: user, count }], seen)).get(user) ?? []);

test('free accounts come longest rested first, the never used before them, as many as are wanted', async () => {
  const user = newUser();
  const hour = await addAccount(user, usedAgo(60));
  const minute = await addAccount(user, usedAgo(1));
  const never = await addAccount(user);
  const day = await addAccount(user, usedAgo(1440));
  await addAccount(newUser());
  expect(await claim(user)).toEqual([never, day, hour, minute]);
  expect(await claim(user, 2)).toEqual([never, day]);
  expect(await claim(user, 2, [never, hour])).toEqual([day, minute]);
  expect(await claim(newUser())).toEqual([]);
});

describe('accounts that may be granted', () => {
  // Rounded, as the columns round, it could be half a millisecond ahead.
  const now = `date_trunc('milliseconds', clock_timestamp())`;
  const soon = `now() + interval '1 minute'`;
  const disabled = { status: `'disabled'`, is_active: 'false', disabled_reason: `'banned'` };
  test.each<[what: string, columns: Record<string, string>, offered: boolean]>([
    ['a free account', {}, true],
    ['a leased one', leasedUntil(soon), false],
    ['one whose lease is over', leasedUntil(now), true],
    ['a waiting one', { status: `'flood_wait'`, flood_wait_until: soon }, false],
    ['one whose wait is over', { status: `'flood_wait'`, flood_wait_until: now }, true],
    ['a blocked one', { status: `'blocked'`, blocked_until: soon }, false],
    ['one whose block is over', { status: `'blocked'`, blocked_until: now }, true],
    [
      'one whose block is over and whose wait goes on',
      { status: `'blocked'`, blocked_until: now, flood_wait_until: soon },
      false,
    ],
    ['a draining one', { status: `'draining'` }, false],
    ['a disabled one', disabled, false],
    ['a disabled one whose wait is over', { ...disabled, flood_wait_until: now }, false],
    ['a leased one whose wait is over', { ...leasedUntil(soon), status: `'flood_wait'`, flood_wait_until: now }, false],
    // It is loaded so that its lease is ended; its wait is judged then.
    ['a waiting one whose lease is over', { ...leasedUntil(now), status: `'blocked'`, blocked_until: soon }, true],
  ])('%s', async (_what, columns, offered) => {
    const user = newUser();
    const accountId = await addAccount(user, columns);
    expect(await claim(user)).toEqual(offered ? [accountId] : []);
  });
});

test('an account that another transaction has locked is passed over, not waited for', async () => {
  const user = newUser();
  const [first, second] = [await addAccount(user), await addAccount(user, usedAgo(1))];
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM telegram_sessions WHERE id = $1 FOR UPDATE', [first]);
  expect(await claim(user)).toEqual([second]);
  await client.query('ROLLBACK');
  expect(await claim(user)).toEqual([first, second]);
});

test('many users are served by one claim, each up to its own count', async () => {
  const users = [newUser(), newUser(), newUser()];
  for (const user of users) for (let n = 0; n < 3; n++) await addAccount(user);
  const wanted = users.map((userId, index) => ({ userId, count: index + 1 }));
  const found = await database.transaction((sql) => lockCandidates(sql, wanted, []));
  expect(users.map((user) => found.get(user)?.length)).toEqual([1, 2, 3]);
});

test('one allocation at a time works on a user’s accounts; whatever order users are named in, none waits in a circle', async () => {
  const [one, two] = [newUser(), newUser()];
  let inside = 0;
  let most = 0;
  const work = (users: number[]) =>
    database.transaction(async (sql) => {
      await loadAnsweredRequests(sql, [], { userIds: users, accountIds: [] });
      most = Math.max(most, ++inside);
      await sql.$queryRaw`SELECT pg_sleep(0.005)::text`;
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 12 }, (_, index) => work(index % 2 === 0 ? [one, two] : [two, one, two])));
  expect(most).toBe(1);
});
