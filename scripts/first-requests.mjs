import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A user without real accounts. */
const USER = 424_242;
const SERVICE = 'first-steps';

/**
 * Requests that register an account, lease it, act with it and give it back, as lines for a shell. They can be pasted one
 * by one or all together, and again. The account is made up, so that nothing happens at Telegram.
 * @param {{ directory: string, url: string, needsToken: boolean }} options `directory`: where the account's data are kept
 * @returns {string[]}
 */
export function firstRequests({ directory, url, needsToken }) {
  const file = path.join(directory, 'first-account.json');
  if (!existsSync(file)) writeFileSync(file, JSON.stringify({ accounts: [madeUpAccount()] }), { mode: 0o600 });
  const [account] = JSON.parse(readFileSync(file, 'utf8')).accounts;
  const id = account.account_id;
  const holder = { service_name: SERVICE };
  const wish = { user_id: USER, purpose: 'invite_campaign', preferred_account_id: id, include_session: false };
  const action = { action_type: 'invite', target_channel_id: '@example' };
  const done = { invites_sent: 1, messages_sent: 0, contacts_added: 0, success: true };
  const options = [
    url.startsWith('https:') ? '--insecure ' : '',
    `-H 'content-type: application/json'`,
    needsToken ? ' -H "Authorization: Bearer $TOKEN"' : '',
  ].join('');
  /** @param {string} route @param {string} body */
  const post = (route, body) => `curl -sS -w '\\n' ${options} ${url}/api/v1/account-manager${route} -d ${body}`;
  /** @param {object} body */
  const json = (body) => `'${JSON.stringify(body)}'`;
  return [
    post('/accounts', `@${path.relative('', file)}`),
    post('/allocate', json({ ...wish, ...holder })),
    post(`/rate-limit/acquire/${id}`, json({ ...action, ...holder })),
    post(`/release/${id}`, json({ ...holder, usage_stats: done })),
  ];
}

/** With a session string in Telethon's form, whose key is random. */
function madeUpAccount() {
  const dataCentre = Buffer.from([2, 149, 154, 167, 51, 0x01, 0xbb]);
  return {
    account_id: randomUUID(),
    user_id: USER,
    phone: `+1555${randomInt(1_000_000, 9_999_999)}`,
    session_data: `1${Buffer.concat([dataCentre, randomBytes(256)])
      .toString('base64')
      .replaceAll('+', '-')
      .replaceAll('/', '_')}`,
    metadata: { note: 'made up, for the first requests' },
  };
}
