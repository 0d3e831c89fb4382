import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { RedisConnection } from '../../src/redis/connection.js';
import { createWindowCache } from '../../src/redis/window-cache.js';
import { eventually } from '../support/eventually.js';
import { holdAccount, letUsageAge, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { connectPatiently } from '../support/redis.js';
import { requestOf } from '../support/request-of.js';

let harness: OperationsHarness;
let windows: RedisConnection;
beforeAll(async () => {
  harness = await startOperations();
  windows = connectPatiently(harness.redis.url, 'windows');
  await once(windows.client, 'ready');
});
afterAll(async () => {
  windows.close();
  await harness.close();
});

const versionOf = async (accountId: string) =>
  Number(
    (
      await harness.query<{ v: string }>('SELECT usage_version AS v FROM telegram_sessions WHERE id = $1', [accountId])
    )[0]?.v,
  );

test('tells what acquire would answer, and changes nothing', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const asked = { account_id: accountId, action_type: 'invite', target_channel_id: 't.me/Foo' };
  const before = await rowsOf(harness, accountId);
  const allowed = await harness.succeed('action.check', { ...asked, allow_locked: true });
  expect(allowed).toEqual({
    success: true,
    allowed: true,
    reason: null,
    next_allowed_at: null,
    details: { cooldown_remaining: 0 },
    checks: {
      daily: { used: 0, limit: 30, remaining: 30 },
      hourly: { used: 0, limit: 5, remaining: 5 },
      per_channel: { used: 0, limit: 15, remaining: 15, total: { used: 0, limit: 200, remaining: 200 } },
      cooldown: { ready: true, next_allowed_at: null },
      burst: { ready: true, next_allowed_at: null },
    },
  });
  expect(await rowsOf(harness, accountId)).toEqual(before);

  await harness.succeed('action.acquire', { ...holder, action_type: 'invite', target_channel_id: '@foo' });
  const refused = await harness.succeed('action.check', asked);
  const { details: _waits, ...verdict } = await harness.succeed('action.acquire', { ...holder, ...asked });
  expect(refused).toMatchObject(verdict);
  expect(refused).toMatchObject({
    allowed: false,
    reason: 'cooldown',
    checks: { per_channel: { used: 1, remaining: 14, total: { used: 1 } } },
  });
});

describe('the cached window', () => {
  test('is used in its present version', async () => {
    const { accountId } = await holdAccount(harness);
    const name = { accountId, actionType: 'invite' as const, usageVersion: await versionOf(accountId) };
    const marked = { recentAt: [], burstCount: 0, lastActionAt: null, day: '2999-01-01', dayCount: 29 };
    const asked = { account_id: accountId, action_type: 'invite' };
    // A busy machine may do without Redis for a moment.
    await eventually('the mark is had', async () => {
      await createWindowCache(windows).store([{ ...name, window: marked }]);
      return (await harness.succeed('action.check', asked)).checks.daily.used === 29;
    });
    // Nothing is decided by it.
    expect(await harness.succeed('action.acquire', asked)).toMatchObject({
      allowed: true,
      checks: { daily: { used: 1 } },
    });
  });

  test.each([-1, 1])('is not believed in another version (%d)', async (off) => {
    const { accountId } = await holdAccount(harness);
    await harness.succeed('action.record', { account_id: accountId, action_type: 'message' });
    const name = { accountId, actionType: 'invite' as const, usageVersion: (await versionOf(accountId)) + off };
    const marked = { recentAt: [], burstCount: 0, lastActionAt: null, day: '2999-01-01', dayCount: 29 };
    await createWindowCache(windows).store([{ ...name, window: marked }]);
    expect(await harness.succeed('action.check', { account_id: accountId, action_type: 'invite' })).toMatchObject({
      checks: { daily: { used: 0 } },
    });
  });

  test('follows every action at once, in whatever process it happens', async () => {
    const { accountId } = await holdAccount(harness);
    const another = harness.another();
    for (let count = 1; count <= 10; count++) {
      await another(requestOf('action.record', { account_id: accountId, action_type: 'invite' }));
      const asked = { account_id: accountId, action_type: 'invite' };
      expect(await harness.succeed('action.check', asked)).toMatchObject({ checks: { daily: { used: count } } });
    }
  });

  test('is judged at the time of asking: yesterday’s count is none of today’s', async () => {
    const { accountId } = await holdAccount(harness);
    const asked = { account_id: accountId, action_type: 'invite' };
    await harness.succeed('action.record', asked);
    expect(await harness.succeed('action.check', asked)).toMatchObject({ checks: { daily: { used: 1 } } });
    await letUsageAge(harness, accountId, '1 day');
    expect(await harness.succeed('action.check', asked)).toMatchObject({
      allowed: true,
      checks: { daily: { used: 0 } },
    });
  });
});

test('an account that does not exist is not found, and its neighbours in the batch are answered', async () => {
  const { accountId } = await holdAccount(harness);
  const [unknown, known] = await Promise.all([
    harness.call('action.check', { account_id: randomUUID(), action_type: 'invite' }),
    harness.call('action.check', { account_id: accountId, action_type: 'invite' }),
  ]);
  expect(unknown).toMatchObject({ success: false, error: { code: 'ACCOUNT_NOT_FOUND' } });
  expect(known).toMatchObject({ success: true, allowed: true });
});
