import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { parseSessionKey, sessionKeyId } from '../../src/store/sessions/session-cipher.js';
import { telethonSession } from '../support/session-strings.js';
import { askHttp } from '../support/service.js';
import { type Installation, startInstallation } from './installation.js';

const USER = 1;
const ACCOUNTS = 250;
const [oldKey, newKey, lostKey] = [0, 1, 2].map(() => randomBytes(32).toString('hex')) as [string, string, string];
const idOf = (key: string): string => sessionKeyId(parseSessionKey(key));

let installation: Installation;
/** By account id. */
const sessions = new Map<string, string>();
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

/** `SESSION_ENCRYPTION_KEY` empty counts as not set. */
const keys = (...list: string[]) => ({ SESSION_ENCRYPTION_KEY: '', SESSION_ENCRYPTION_KEYS: list.join(',') });
const sealedBy = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await installation.query<{ key_id: string; sessions: number }>(
        'SELECT session_key_id AS key_id, count(*)::integer AS sessions FROM telegram_sessions GROUP BY 1',
      )
    ).map((row) => [row.key_id, row.sessions]),
  );

async function register(count: number): Promise<void> {
  const first = randomInt(10_000_000) * 10_000;
  const accounts = Array.from({ length: count }, (_, index) => ({
    user_id: USER,
    phone: `+49${first + index}`,
    session_data: telethonSession(),
  }));
  const reply = await installation.client.call('admin.register', { accounts });
  if (!reply.success) throw new Error(JSON.stringify(reply));
  (reply.accounts as { account_id: string; index: number }[]).forEach(({ account_id: id, index }) =>
    sessions.set(id, accounts[index]!.session_data),
  );
}

/** Leases an account and gives it back; answers whether its session was the one it was registered with. */
async function cycle(): Promise<boolean> {
  const wish = { user_id: USER, purpose: 'general', service_name: 'inviter' };
  const reply = await installation.client.call('account.allocate', wish);
  if (!reply.success) throw new Error(JSON.stringify(reply));
  const { account_id, lease_id, fence, session_data } = reply.allocation as Record<string, string>;
  await installation.client.call('account.release', {
    ...{ account_id, lease_id, fence },
    service_name: 'inviter',
    usage_stats: {},
  });
  return session_data === sessions.get(account_id ?? '');
}

const scan = () => installation.client.call('admin.run-job', { job: 'health-scan' });

test('sessions are sealed by the new key while accounts are leased; then the old key may go', async () => {
  // First every instance learns to open what the new key will seal; then one after the other seals with it.
  const one = await installation.start(keys(oldKey, newKey));
  for (let registered = 0; registered < ACCOUNTS; registered += 50) await register(50);
  expect(await sealedBy()).toEqual({ [idOf(oldKey)]: ACCOUNTS });
  const two = await installation.start(keys(newKey, oldKey));
  await register(2);
  let isSealing = true;
  const used: boolean[] = [];
  const leasing = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (isSealing) used.push(await cycle());
    }),
  );
  await one.stop();
  const reply = await scan();
  // A row that a request held just then is the next scan's.
  await eventually('all are sealed by the new key', async () => {
    const sealed = await sealedBy();
    if (sealed[idOf(oldKey)] !== undefined) await scan();
    return sealed[idOf(newKey)] === ACCOUNTS + 2 && sealed[idOf(oldKey)] === undefined;
  });
  isSealing = false;
  await leasing;
  expect(reply).toMatchObject({ success: true });
  expect(used.length).toBeGreaterThan(20);
  expect(used).not.toContain(false);
  const told = await eventually('it is told', () =>
    two
      .log()
      .split('\n')
      .find((line) => line.includes('no session needs these keys')),
  );
  expect(told).toContain(`"key_ids":["${idOf(oldKey)}"]`);
  for (const key of [oldKey, newKey]) expect(one.log() + two.log()).not.toContain(key);
  const { text } = await askHttp(`${two.httpUrl}/metrics`);
  expect(text).toMatch(/account_manager_sessions\{key_id="[0-9a-f]{8}",state="(current|old)"\} \d+/);

  await two.stop();
  await installation.start({ SESSION_ENCRYPTION_KEY: newKey });
  expect(await Promise.all(Array.from({ length: 50 }, cycle))).not.toContain(false);
});

test('an instance without the key of a session does not start, and names key and count', async () => {
  await expect(installation.start({ SESSION_ENCRYPTION_KEY: lostKey })).rejects.toThrow(
    new RegExp(`${ACCOUNTS + 2} by key ${idOf(newKey)}; it names ${idOf(lostKey)}`),
  );
  // A disabled account is given to nobody: it waits for a session that is sealed anew.
  await installation.query(
    "UPDATE telegram_sessions SET status = 'disabled', disabled_reason = 'needs_reauth', is_active = false",
  );
  await installation.start({ SESSION_ENCRYPTION_KEY: lostKey });
});
