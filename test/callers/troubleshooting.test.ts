import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type OpenService, openService } from '../conformance/open-service.js';
import { eventually } from '../support/eventually.js';
import { telethonSession } from '../support/session-strings.js';

// Each line of docs/migrating.md, "Looking into it", as an operator types it.

// A job has its time.
jest.setTimeout(180_000);

let open: OpenService;
let redis: Redis;
let ids: string[];
beforeAll(async () => {
  open = await openService();
  const url = new URL(open.redisUrl);
  const first = Number(url.pathname.slice(1) || '0');
  url.pathname = '';
  redis = new Redis(url.href, { db: first });
  const accounts = Array.from({ length: 3 }, (_, n) => ({
    user_id: 1,
    phone: `+1500555000${n}`,
    session_data: telethonSession(),
  }));
  const { reply } = await open.send('http', 'admin.register', { accounts });
  ids = (reply as unknown as { accounts: { account_id: string }[] }).accounts.map(({ account_id }) => account_id);
  const wish = { user_id: 1, purpose: 'general', service_name: 'test-service', preferred_account_id: ids[0] };
  await open.send('http', 'account.allocate', wish);
});
afterAll(async () => {
  redis.disconnect();
  await open.close();
});

const select = async (offset: number): Promise<void> => {
  const first = Number(new URL(open.redisUrl).pathname.slice(1) || '0');
  await redis.select(first + offset);
};
const get = async (path: string) => {
  const response = await fetch(`${open.service.httpUrl}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const post = async (path: string, body?: unknown) => {
  const headers = body === undefined ? undefined : { 'content-type': 'application/json' };
  const url = `${open.service.httpUrl}/api/v1/account-manager${path}`;
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

const recoveryTime = (body: Record<string, unknown>): number =>
  Date.parse((body.result as { recovery_time: string }).recovery_time);

test('SELECT N+1, KEYS account_lock:*', async () => {
  await select(1);
  expect(await redis.keys('account_lock:*')).toEqual([`account_lock:${ids[0]}`]);
});

test('an error with the text of the predecessor’s documents: 300 seconds and 60, and 24 hours', async () => {
  const context = { service: 'test-service' };
  const flood = await post(`/handle-error/${ids[1]}`, {
    error_type: 'flood_wait',
    error_message: 'FloodWaitError: 300',
    context,
  });
  const waits = (recoveryTime(flood.body) - Date.now()) / 1000;
  expect(Math.round(waits / 10)).toBe(36);
  const peer = await post(`/handle-error/${ids[2]}`, {
    error_type: 'peer_flood',
    error_message: 'PeerFloodError: Too many requests',
    context,
  });
  const blocked = (recoveryTime(peer.body) - Date.now()) / 3_600_000;
  expect(Math.round(blocked)).toBe(24);
});

test('SELECT N+2, ZRANGE account_recovery_queue 0 -1 WITHSCORES', async () => {
  await select(2);
  const members = async (): Promise<string[]> =>
    (await redis.zrange('account_recovery_queue', '0', '-1', 'WITHSCORES')).filter((_, index) => index % 2 === 0);
  await eventually('three wait', async () => (await members()).length === 3);
  expect(await members()).toEqual([ids[1], ids[2], 'whole']);
});

test('the query over telegram_sessions', async () => {
  const rows = await open.query(
    `SELECT id, phone, status, locked, used_invites_today, used_messages_today,
            per_channel_invites, error_count, last_used_at
       FROM telegram_sessions WHERE is_active = true LIMIT 10`,
  );
  expect(rows.find((row) => row.id === ids[0])).toMatchObject({
    phone: '+15005550000',
    status: 'active',
    locked: true,
    used_invites_today: 0,
    per_channel_invites: {},
  });
});

test('the addresses that tell of health and statistics', async () => {
  expect(await get('/health')).toMatchObject({ status: 200 });
  expect(await get('/api/v1/account-manager/stats/recovery')).toMatchObject({
    status: 200,
    body: { stats: { flood_wait_active: 1, blocked_active: 1, recovery_queue_size: 2 } },
  });
  expect(await get('/api/v1/health/detailed')).toMatchObject({
    body: {
      components: {
        account_manager: {
          stats: { total_accounts: 3, healthy_accounts: 1, health_percentage: 33.3, recovery_queue_size: 2 },
        },
      },
    },
  });
});

test.each([
  '/maintenance/reset-daily-limits',
  '/maintenance/process-recoveries',
  '/maintenance/process-recoveries?limit=50',
  '/maintenance/cleanup-rate-limits',
])('POST %s, with neither body nor header', async (path) => {
  expect(await post(path)).toMatchObject({ status: 200, body: { success: true, state: 'done' } });
});

test('POST /release-all with force', async () => {
  const answer = await post('/release-all', { service_name: 'test-service', force: true });
  expect(answer).toMatchObject({ status: 200, body: { released_count: 1 } });
});
