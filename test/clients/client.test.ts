import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type AccountManager,
  AccountManagerError,
  connectAccountManager,
  isTelegramError,
} from '@account-manager/client';
import { FloodWaitError, UserMigrateError } from 'telegram/errors/RPCErrorList.js';
import { describeTelegramError } from '../../packages/client/src/telegram-error.js';
import { freePort } from '../support/ports.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { openPeer, type Peer } from './peer.js';
import type { PeerAnswer } from './scenario.js';

// Behaviour of this client alone, beside the scenarios that all clients share.

const WISH = { user_id: 101, purpose: 'general' } as const;
const SILENT: PeerAnswer[] = [{ silence: true, always: true }];

let vhost: TestVhost;
let peer: Peer;
let manager: AccountManager;
const warnings: Error[] = [];
beforeAll(async () => {
  vhost = await createVhost();
  peer = await openPeer(vhost.url);
  manager = await connectAccountManager(vhost.url, {
    serviceName: 'test',
    onWarning: (warning) => warnings.push(warning),
  });
});
afterAll(async () => {
  await manager.close();
  await peer.close();
  await vhost.drop();
});

const begin = (answers: Record<string, PeerAnswer[]>, asked: Record<string, object[]> = {}): Promise<void> =>
  peer.begin({ name: '', against: 'peer', client: [], peer: answers, asked });

test('a signal ends the waiting for a reply with its own reason', async () => {
  await begin({ 'query.status': SILENT });
  const reason = new Error('enough');
  const stop = new AbortController();
  const asked = manager.call('query.status', {}, { signal: stop.signal });
  stop.abort(reason);
  await expect(asked).rejects.toBe(reason);
  await expect(manager.call('query.status', {}, { signal: stop.signal })).rejects.toBe(reason);
});

test('an account that arrives when nobody waits for it any more is given back', async () => {
  await begin({ 'account.allocate': [{ merge: {}, delay_ms: 300 }] }, { 'account.release': [{}] });
  const asked = manager.withAccount(WISH, () => 'never', { signal: AbortSignal.timeout(100) });
  await expect(asked).rejects.toThrow('timeout');
  await new Promise((resolve) => setTimeout(resolve, 500));
  peer.check();
});

test('the signal given to withAccount aborts the body’s, and the account is given back', async () => {
  await begin({}, { 'account.release': [{ body: { usage_stats: { success: true } } }] });
  const stop = new AbortController();
  const value = manager.withAccount(
    WISH,
    async (account, signal) => {
      expect(account.signal).toBe(signal);
      queueMicrotask(() => stop.abort());
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'ended';
    },
    { signal: stop.signal },
  );
  expect(await value).toBe('ended');
  peer.check();
});

test('to close aborts the signal of a body, and waits until its account is given back', async () => {
  await begin({}, { 'account.release': [{}] });
  const other = await connectAccountManager(vhost.url, { serviceName: 'test' });
  let closed: Promise<void> | undefined;
  const reason = await other.withAccount(WISH, async (_account, signal) => {
    closed = other.close();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return signal.reason as AccountManagerError;
  });
  await closed;
  expect(reason.code).toBe('CLOSED');
  peer.check();
});

test('a message_id of the caller’s own is used, and not twice at once', async () => {
  const messageId = '70000000-0000-4000-8000-000000000001';
  await begin({ 'query.recovery-stats': [{ merge: {}, delay_ms: 200 }] });
  const first = manager.call('query.recovery-stats', {}, { messageId });
  await expect(manager.call('query.recovery-stats', {}, { messageId })).rejects.toThrow('under way already');
  await first;
});

test('a failure that nobody waits for becomes a warning', async () => {
  await begin({ 'action.record': [{ refuse: { code: 'VALIDATION_FAILED', retryable: false } }] });
  warnings.length = 0;
  await manager.withAccount(WISH, (account) => account.act('message', null, () => 1));
  expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('was not settled')]);
  expect(warnings[0]?.cause).toBeInstanceOf(AccountManagerError);
});

test.each([
  [{ serviceName: 'Upper' }, 'serviceName must be'],
  [{ serviceName: '' }, 'serviceName must be'],
  [{ serviceName: 'x', timeoutMs: 0 }, 'timeoutMs must be'],
  [{ serviceName: 'x', resendAfterMs: Number.NaN }, 'resendAfterMs must be'],
])('options %j are refused', async (options, message) => {
  await expect(connectAccountManager(vhost.url, options)).rejects.toThrow(message);
});

test('a broker that is not there is told after connectTimeoutMs', async () => {
  const url = `amqp://127.0.0.1:${await freePort()}`;
  const connected = connectAccountManager(url, { serviceName: 'test', connectTimeoutMs: 300 });
  await expect(connected).rejects.toMatchObject({
    code: 'NO_REPLY',
    retryable: true,
    message: expect.stringMatching(/ECONNREFUSED/),
  });
});

const request = { className: 'messages.SendMessage' } as never;
test.each([
  [
    'GramJS',
    new FloodWaitError({ request, capture: 7 }),
    { error_type: 'FloodWaitError', error_code: 420, seconds: 7 },
  ],
  ['GramJS', new UserMigrateError({ request, capture: 2 }), { error_type: 'UserMigrateError', error_code: 303 }],
  [
    'mtcute',
    Object.assign(new Error('Telegram API error 420: FLOOD_WAIT_%d'), { code: 420, text: 'FLOOD_WAIT_%d', seconds: 9 }),
    { error_code: 420, seconds: 9 },
  ],
  [
    'MTKruto',
    Object.assign(new Error('400'), { error_message: 'PEER_FLOOD', error_code: 400 }),
    { error_message: 'PEER_FLOOD: 400', error_code: 400 },
  ],
])('an error of %s is told from others, and described', (_, error, described) => {
  expect(isTelegramError(error)).toBe(true);
  expect(describeTelegramError(error)).toMatchObject(described);
});

test.each([
  new Error('FLOOD_WAIT_7'),
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  new AccountManagerError({ code: 'ALL_BUSY', message: '', retryable: true }),
  Object.assign(new Error('404'), { code: 404 }),
  'FLOOD_WAIT_7',
  null,
])('an error of the program or the network is not Telegram’s: %p', (error) => {
  expect(isTelegramError(error)).toBe(false);
});
