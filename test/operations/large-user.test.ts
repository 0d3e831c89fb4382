import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSurveys } from '../../src/accounts/surveys.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { createDatabase as connectDatabase } from '../../src/store/database.js';
import { eventually } from '../support/eventually.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { captureStatements } from '../support/query-plans.js';
import { seedAccounts } from '../support/seed-accounts.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

/** More than a batch looks at. */
const ACCOUNTS = 900;

const wish = (user: number) => ({
  user_id: user,
  purpose: 'invite_campaign',
  service_name: 'invite-service',
  include_session: false,
});

/** A user whose accounts have done all that they may do today, and rest since yesterday. */
async function registerUsedUp(): Promise<{ user: number; ids: string[] }> {
  const user = newUser();
  const ids = await seedAccounts(harness, user, ACCOUNTS);
  await harness.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count)
     SELECT id, 'invite', CURRENT_DATE, 30 FROM unnest($1::uuid[]) AS given(id)`,
    [ids],
  );
  await harness.query(
    `UPDATE telegram_sessions SET last_used_at = now() - interval '1 day' + n * interval '1 second'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS given(account_id, n) WHERE id = account_id`,
    [ids],
  );
  return { user, ids };
}

const allLimited = {
  code: 'ALL_LIMITED',
  details: {
    counts: { total: ACCOUNTS, limited: ACCOUNTS },
    next_available_at: expect.stringMatching(/T00:00:00.000Z$/),
  },
};

test('where none of very many accounts has room all of them are counted, and once', async () => {
  const { user, ids } = await registerUsedUp();
  expect(await harness.refusal('account.allocate', wish(user))).toMatchObject(allLimited);
  // A change behind the back of everybody is not seen: nobody looks through all of them again.
  await harness.query('DELETE FROM usage_windows WHERE account_id = ANY($1)', [ids.slice(0, 1)]);
  const again = await Promise.all([1, 2, 3].map(() => harness.refusal('account.allocate', wish(user))));
  for (const refusal of again) expect(refusal).toMatchObject(allLimited);
});

test('an account with room is found behind very many without, by everybody who asks at once', async () => {
  const { user, ids } = await registerUsedUp();
  const withRoom = ids.slice(-3);
  await harness.query(`DELETE FROM usage_windows WHERE account_id = ANY($1)`, [withRoom]);
  const replies = await Promise.all([1, 2, 3, 4].map(() => harness.call('account.allocate', wish(user))));
  const granted = replies.flatMap((reply) => (reply.success ? [reply.allocation.account_id] : []));
  expect(granted.sort()).toEqual(withRoom.sort());
});

test('an account that becomes free after all were looked through is granted at once', async () => {
  const { user, ids } = await registerUsedUp();
  expect((await harness.refusal('account.allocate', wish(user))).code).toBe('ALL_LIMITED');

  // Registered.
  const [added] = await harness.registerAccounts(user, 1);
  const first = (await harness.succeed('account.allocate', wish(user))).allocation;
  expect(first.account_id).toBe(added);

  // Released.
  const { account_id, lease_id, fence } = first;
  const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
  const holder = { account_id, lease_id, fence, service_name: 'invite-service' };
  await harness.succeed('account.release', { ...holder, usage_stats });
  const second = (await harness.succeed('account.allocate', { ...wish(user), timeout_minutes: 600 })).allocation;
  expect(second.account_id).toBe(added);

  // Active again by an operator's word, though it has rested since before the look.
  const [recovered = ''] = ids;
  await harness.query(`DELETE FROM usage_windows WHERE account_id = $1`, [recovered]);
  await harness.succeed('admin.set-status', { account_id: recovered, status: 'draining', reason: 'test' });
  await harness.succeed('admin.set-status', { account_id: recovered, status: 'active', reason: 'test' });
  const { allocation } = await harness.succeed('account.allocate', { ...wish(user), wait_ms: 5_000 });
  expect(allocation.account_id).toBe(recovered);
});

test('a look that an account has become active during is told to those who asked, and kept for nobody', async () => {
  const { user } = await registerUsedUp();
  const database = connectDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} });
  const surveys = createSurveys(database.reader);
  const invite = {
    purpose: 'invite_campaign' as const,
    channel: null,
    hasChannel: false,
    leaseMs: 60_000,
    policy: DEFAULT_LIMITS,
    reentry: { days: 3, share: 0.5 },
  };
  try {
    const outdated = surveys.look(user, invite);
    surveys.forget(user);
    // Whoever asks from now on gets a look of its own, which another user's account does not end.
    const current = surveys.look(user, invite);
    expect(current).not.toBe(outdated);
    expect(await outdated).toEqual([]);
    await current;
    expect(surveys.find(user, invite)).toMatchObject({ limited: ACCOUNTS });

    surveys.forget(user);
    const alone = surveys.look(user, invite);
    surveys.forget(user);
    expect(await alone).toEqual([]);
    expect(surveys.find(user, invite)).toBeUndefined();

    const kept = surveys.look(user, invite);
    surveys.forget(user + 1);
    expect(surveys.look(user, invite)).toBe(kept);
    await kept;
    expect(surveys.find(user, invite)).toMatchObject({ limited: ACCOUNTS });
  } finally {
    await database.close();
  }
});

test('wishes for the same user that are asked at once share one look, and each gets its own answer', async () => {
  const user = newUser();
  const ids = await seedAccounts(harness, user, 5);
  await harness.query(
    `INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total)
     SELECT id, 'invite', 'full', CURRENT_DATE, 0, 200 FROM unnest($1::uuid[]) AS given(id)`,
    [ids],
  );
  const database = connectDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} });
  const surveys = createSurveys(database.reader);
  const inviteIn = (channel: string | null) => ({
    purpose: 'invite_campaign' as const,
    channel,
    hasChannel: channel !== null,
    leaseMs: 60_000,
    policy: DEFAULT_LIMITS,
    reentry: { days: 3, share: 0.5 },
  });
  try {
    const asked = [inviteIn('full'), inviteIn('other'), inviteIn(null)];
    const found: string[][] = [];
    const sent = await captureStatements(async () => {
      found.push(...(await Promise.all(asked.map((wish) => surveys.look(user, wish)))));
    });
    expect(found.map((some) => some.toSorted())).toEqual([[], ids.toSorted(), ids.toSorted()]);
    expect(surveys.find(user, inviteIn('full'))).toMatchObject({ limited: 5, nextAvailableAt: null });
    // The never used accounts, and those that were.
    expect(sent.filter(({ text }) => text.includes('WITH page'))).toHaveLength(2);
  } finally {
    await database.close();
  }
});

test('a user with very many accounts is counted once for all who are refused within a moment, one with few each time', async () => {
  const database = connectDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} });
  const { count } = createSurveys(database.reader);
  const [many, few] = [newUser(), newUser()];
  const ids = [...(await seedAccounts(harness, many, 10_000)), ...(await seedAccounts(harness, few, 10))];
  const draining = async () =>
    [...(await count(database.reader, [many, few, newUser()], Date.now()))].map(([user, counts]) => [
      user,
      counts.draining,
    ]);
  try {
    expect(await draining()).toEqual([
      [many, 0],
      [few, 0],
    ]);
    await harness.query(`UPDATE telegram_sessions SET status = 'draining' WHERE id = ANY($1)`, [[ids[0], ids.at(-1)]]);
    expect(await draining()).toEqual([
      [many, 0],
      [few, 1],
    ]);
    await eventually('another count', async () =>
      (await draining()).some(([user, number]) => user === many && number === 1),
    );
  } finally {
    await database.close();
  }
});
