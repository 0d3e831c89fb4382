import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, request as requestHttp } from 'node:http';
import type { Options } from 'amqplib';
import { telethonSession } from '../support/session-strings.js';
import { DOORS, type OpenService, openService } from './open-service.js';

// Forms of requests that callers' libraries and their authors have sent, by what became of them once: refused, or lost.

let open: OpenService;
beforeAll(async () => {
  open = await openService();
});
afterAll(() => open.close());

let lastUser = 700;
/** A user with so many accounts; answers their ids. */
async function newFleet(size: number): Promise<{ user_id: number; ids: string[] }> {
  const user_id = ++lastUser;
  const accounts = Array.from({ length: size }, (_, n) => ({
    user_id,
    phone: `+1500${user_id}00${n}`,
    session_data: telethonSession(),
  }));
  const { reply } = await open.send('amqp', 'admin.register', { accounts });
  return { user_id, ids: (reply as unknown as Registered).accounts.map(({ account_id }) => account_id ?? '') };
}

interface Registered {
  accounts: { account_id?: string; outcome: string; reason?: string; field?: string }[];
}
interface Granted {
  allocation: { account_id: string; lease_id: string; fence: number };
}

const wish = (user_id: number) => ({ user_id, purpose: 'general', service_name: 'inviting' });
const holderOf = (reply: unknown) => {
  const { account_id, lease_id, fence } = (reply as Granted).allocation;
  return { account_id, lease_id, fence, service_name: 'inviting' };
};
const statusOf = async (accountId: string | undefined) => {
  const [row] = await open.query('SELECT status, locked FROM telegram_sessions WHERE id = $1', [accountId]);
  return row;
};
/** Whole seconds until the recovery that an answer to `account.error` names. */
const waitOf = (reply: unknown): number =>
  Math.round((Date.parse((reply as { result: { recovery_time: string } }).result.recovery_time) - Date.now()) / 1_000);

test.each<[what: string, properties: Options.Publish, code: string | null]>([
  ['content_encoding binary', { contentEncoding: 'binary' }, null],
  ['content_encoding us-ascii', { contentEncoding: 'us-ascii' }, null],
  ['an empty parameter of content_type', { contentType: 'application/json;' }, null],
  ['content_encoding gzip', { contentEncoding: 'gzip' }, 'MALFORMED_MESSAGE'],
  ['another charset', { contentType: 'application/json; charset=latin1' }, 'MALFORMED_MESSAGE'],
])('an allocation over AMQP with %s', async (_what, properties, code) => {
  const { user_id } = await newFleet(1);
  const { reply } = await open.rpc.ask('account.allocate', wish(user_id), properties);
  expect(reply).toMatchObject(code === null ? { success: true } : { success: false, error: { code } });
});

test.each([
  ['application/json;', 200],
  ['application/json ; charset=utf-8;', 200],
  ['application/json; charset=latin1', 400],
])('an allocation over HTTP with Content-Type: %s', async (type, status) => {
  const { user_id } = await newFleet(1);
  const response = await fetch(`${open.service.httpUrl}/api/v1/account-manager/allocate`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: JSON.stringify(wish(user_id)),
  });
  expect(response.status).toBe(status);
});

test.each(DOORS)('over %s each row of an import is judged alone', async (door) => {
  const user_id = ++lastUser;
  const row = (phone: string) => ({ user_id, phone, session_data: telethonSession() });
  const phones = [`+1500${user_id}0001`, `+1 (500) ${user_id}-0142`, '+1 (500) 555-CALL', `+1500${user_id}0003`];
  const { reply } = await open.send(door, 'admin.register', { accounts: phones.map(row) });
  const { accounts } = reply as unknown as Registered;
  expect(accounts.map(({ outcome }) => outcome)).toEqual(['created', 'created', 'rejected', 'created']);
  expect(accounts[2]).toMatchObject({ field: 'phone', reason: expect.stringMatching(/digits/) });
});

const CUT = 'A wait of 3540 seconds is required (caused by SendMessageRequest), chat "Sale \ud83d';

test.each(DOORS)('over %s an error whose text was cut within an emoji counts, and the lease ends', async (door) => {
  const { user_id, ids } = await newFleet(2);
  const [reported, released] = ids;
  const { reply } = await open.send(door, 'account.error', { account_id: reported, error_message: CUT });
  expect(reply).toMatchObject({ success: true, result: { classified_as: 'flood_wait' } });
  // And the minute that is added to each wait.
  expect(Math.abs(waitOf(reply) - 3_600)).toBeLessThan(60);

  const granted = (await open.send(door, 'account.allocate', wish(user_id))).reply;
  const usage_stats = { success: false, error_message: CUT };
  const release = await open.send(door, 'account.release', { ...holderOf(granted), usage_stats });
  expect(release.reply).toMatchObject({ success: true });
  expect(await statusOf(released)).toEqual({ status: 'flood_wait', locked: false });
});

test.each(DOORS)('over %s a report that is served after its release keeps the account from the next', async (door) => {
  const { user_id, ids } = await newFleet(1);
  const holder = holderOf((await open.send(door, 'account.allocate', wish(user_id))).reply);
  await open.send(door, 'account.release', { ...holder, usage_stats: { success: false } });
  const { reply } = await open.send(door, 'account.error', { ...holder, error_type: 'PEER_FLOOD' });
  expect(reply).toMatchObject({ success: true, result: { action_taken: 'blocked' } });
  expect(await statusOf(ids[0])).toEqual({ status: 'blocked', locked: false });
  const next = await open.send(door, 'account.allocate', wish(user_id));
  expect(next.reply).toMatchObject({ error: { code: 'ALL_RESTRICTED' } });
});

test('an idle connection is kept for longer than balancers and proxies keep theirs', async () => {
  const agent = new Agent({ keepAlive: true });
  const kept = await new Promise((resolve, reject) => {
    requestHttp(`${open.service.httpUrl}/health/live`, { agent }, (response) => {
      response.resume();
      resolve(response.headers['keep-alive']);
    })
      .once('error', reject)
      .end();
  });
  agent.destroy();
  const [, seconds] = /timeout=(\d+)/.exec(String(kept)) ?? [];
  expect(Number(seconds)).toBeGreaterThan(75);
});
