import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const newAccount = async (...errors: string[]): Promise<string> => {
  const [accountId = ''] = await harness.registerAccounts(1, 1);
  for (const error_message of errors) await ask(harness, 'account.error', { account_id: accountId, error_message });
  return accountId;
};
const healthOf = async (accountId: string) => (await ask(harness, 'query.health', { account_id: accountId })).health;

test('an account that is well', async () => {
  const accountId = await newAccount();
  expect(await healthOf(accountId)).toMatchObject({
    account_id: accountId,
    is_healthy: true,
    status: 'active',
    issues: [],
    recovery_eta: null,
    metadata: { error_count: 0, disabled_reason: null, locked_by: null, last_used_at: null, invites_today: 0 },
  });
});

test('who has it, and what it has done today', async () => {
  const accountId = await newAccount();
  const wish = { user_id: 1, purpose: 'general', service_name: 'holder', preferred_account_id: accountId };
  const { allocation } = await ask(harness, 'account.allocate', { ...wish, preferred_mode: 'require' });
  await ask(harness, 'action.acquire', { account_id: accountId, action_type: 'message', service_name: 'holder' });
  expect((await healthOf(accountId)).metadata).toMatchObject({
    locked_by: 'holder',
    locked_until: allocation.expires_at,
    messages_today: 1,
    invites_today: 0,
    last_used_at: expect.any(String),
  });
});

test.each([
  [['FLOOD_WAIT_300'], 'flood_wait', /^in a flood wait until 2\S+Z$/],
  [['PEER_FLOOD'], 'blocked', /^blocked after a peer flood until 2\S+Z$/],
  [['USER_DEACTIVATED_BAN'], 'disabled', /^disabled until an operator acts: banned$/],
])('%s is told', async (errors, status, issue) => {
  const health = await healthOf(await newAccount(...errors));
  expect(health).toMatchObject({ is_healthy: false, status, issues: [expect.stringMatching(issue)] });
  expect(health.recovery_eta).toBe(
    status === 'disabled' ? null : (health.metadata.flood_wait_until ?? health.metadata.blocked_until),
  );
});

test('everything that is wrong is told', async () => {
  const accountId = await newAccount('FLOOD_WAIT_300', 'PEER_FLOOD');
  await ask(harness, 'admin.set-status', { account_id: accountId, status: 'draining', reason: 'retiring' });
  await harness.query('UPDATE telegram_sessions SET error_count = 7 WHERE id = $1', [accountId]);
  const { issues } = await healthOf(accountId);
  expect(issues.map((issue) => issue.split(/ (until|after|since)/)[0])).toEqual([
    'draining: it gets no new lease',
    'blocked',
    'in a flood wait',
    '7 errors',
  ]);
});

test('many errors make an active account unwell', async () => {
  const accountId = await newAccount();
  await harness.query('UPDATE telegram_sessions SET error_count = 5 WHERE id = $1', [accountId]);
  expect(await healthOf(accountId)).toMatchObject({
    is_healthy: false,
    status: 'active',
    issues: ['5 errors since the last recovery'],
  });
});

test('a wait or a lease that is over counts as over, whether or not anybody has written so', async () => {
  const accountId = await newAccount('FLOOD_WAIT_300');
  await harness.query(`UPDATE telegram_sessions SET flood_wait_until = now() - interval '1 second' WHERE id = $1`, [
    accountId,
  ]);
  expect(await healthOf(accountId)).toMatchObject({ is_healthy: true, status: 'active', issues: [] });
  const [row] = await harness.query('SELECT status FROM telegram_sessions WHERE id = $1', [accountId]);
  expect(row).toEqual({ status: 'flood_wait' });
});

test('refuses an unknown account', async () => {
  expect((await harness.refusal('query.health', { account_id: randomUUID() })).code).toBe('ACCOUNT_NOT_FOUND');
});

test('errors age out of the count, and leases that end well take them off, for every reader alike', async () => {
  const user = 4_711;
  const [account_id = ''] = await harness.registerAccounts(user, 1);
  const healthOf = async () => (await harness.succeed('query.health', { account_id })).health;
  const fail = async (times: number) => {
    for (let n = 0; n < times; n++) await harness.succeed('account.error', { account_id, error_type: 'unknown_error' });
  };
  const unhealthy = async () => (await harness.succeed('query.recovery-stats', {})).stats.high_error_count;
  const before = await unhealthy();
  await fail(6);
  expect(await healthOf()).toMatchObject({ is_healthy: false, metadata: { error_count: 6 } });
  expect(await unhealthy()).toBe(before + 1);

  for (const left of [5, 4]) {
    await harness.succeed('account.allocate', { user_id: user, purpose: 'general', service_name: 'worker' });
    await harness.succeed('account.release', { account_id, service_name: 'worker', usage_stats: {} });
    expect((await healthOf()).metadata.error_count).toBe(left);
  }
  expect((await healthOf()).is_healthy).toBe(true);
  expect(await unhealthy()).toBe(before);

  await fail(4);
  expect(await unhealthy()).toBe(before + 1);
  await harness.query(
    `UPDATE telegram_sessions SET error_ends = ARRAY(SELECT at - interval '24 hours' FROM unnest(error_ends) AS e(at)) WHERE id = $1`,
    [account_id],
  );
  expect(await healthOf()).toMatchObject({ is_healthy: true, issues: [], metadata: { error_count: 0 } });
  expect(await unhealthy()).toBe(before);
  await fail(1);
  expect((await healthOf()).metadata.error_count).toBe(1);
});
