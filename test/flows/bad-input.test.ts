import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ConsumeMessage, Options } from 'amqplib';
import { EXCHANGES, PARKED } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import { telethonSession } from '../support/session-strings.js';
import { type Installation, startInstallation } from './installation.js';

const USER = 1;
const SESSION = telethonSession();
const PHONE = '4915112345678';
let installation: Installation;
let accountId: string;
const parked = new Map<string, ConsumeMessage>();

beforeAll(async () => {
  installation = await startInstallation();
  await installation.start();
  [accountId = ''] = await installation.register(USER, 1);
  const watcher = await installation.client.connection.createChannel();
  await watcher.consume(
    PARKED.name,
    (message) => message !== null && parked.set(String(message.properties.correlationId), message),
    { noAck: true },
  );
});
afterAll(() => installation.close());

interface Case {
  operation?: string;
  /** Instead of a body that is well. */
  raw?: string | Buffer;
  /** On top of a body that is well. */
  fields?: Record<string, unknown>;
  options?: Options.Publish;
  code?: string;
  names: RegExp;
}

const acquire = (fields: Record<string, unknown> = {}) => ({
  account_id: accountId,
  action_type: 'message',
  service_name: 'invite-service',
  ...fields,
});
const allocate = (fields: Record<string, unknown> = {}) => ({
  user_id: USER,
  purpose: 'general',
  service_name: 'invite-service',
  ...fields,
});
const release = (fields: Record<string, unknown> = {}) => ({
  account_id: accountId,
  service_name: 'invite-service',
  usage_stats: {},
  ...fields,
});
const register = (fields: Record<string, unknown> = {}) => ({
  accounts: [{ user_id: USER, phone: `+${PHONE}`, session_data: SESSION }],
  ...fields,
});
const bodies: Record<string, (fields?: Record<string, unknown>) => Record<string, unknown>> = {
  'action.acquire': acquire,
  'account.allocate': allocate,
  'account.release': release,
  'admin.register': register,
};

const MALFORMED = 'MALFORMED_MESSAGE';
const cases: Record<string, Case> = {
  'not JSON': { raw: 'acquire, please', code: MALFORMED, names: /^body: must be JSON/ },
  'JSON cut off': { raw: '{"account_id": "', code: MALFORMED, names: /^body: must be JSON/ },
  empty: { raw: '', code: MALFORMED, names: /^body: .*empty/ },
  'an array': { raw: '[]', code: MALFORMED, names: /^body: .*an array/ },
  '10 MB': { raw: Buffer.alloc(10_485_760, ' '), code: MALFORMED, names: /^body: .*at most 262144 bytes/ },
  'depth 5,000': { raw: '{"context":'.repeat(5_000), code: MALFORMED, names: /^body: .*16 levels/ },
  'bad UTF-8': { raw: Buffer.from('7b22c328223a317d', 'hex'), code: MALFORMED, names: /^body: must be UTF-8/ },
  'another content type': { options: { contentType: 'text/plain' }, code: MALFORMED, names: /^content_type: / },
  'a forged prototype': { raw: '{"__proto__": {"force": true}}', names: /^__proto__: / },
  'an unknown field': { fields: { user: 7 }, names: /^user: / },
  'a missing field': { fields: { action_type: undefined }, names: /^action_type: / },
  'a negative number': { operation: 'account.allocate', fields: { user_id: -1 }, names: /^user_id: / },
  'a fraction': { operation: 'account.allocate', fields: { timeout_minutes: 0.5 }, names: /^timeout_minutes: / },
  'a huge number': { operation: 'account.allocate', fields: { user_id: 2 ** 53 }, names: /^user_id: / },
  'a number beyond the rule': { operation: 'account.allocate', fields: { wait_ms: 60_001 }, names: /^wait_ms: / },
  'a negative count': {
    operation: 'account.release',
    fields: { usage_stats: { messages_sent: -40 } },
    names: /^usage_stats\.messages_sent: /,
  },
  'a huge count': {
    operation: 'account.release',
    fields: { usage_stats: { invites_sent: 1e15 } },
    names: /^usage_stats\.invites_sent: /,
  },
  'an infinite number': {
    operation: 'account.allocate',
    raw: '{"user_id": 1e999, "purpose": "general", "service_name": "a"}',
    names: /^user_id: .*finite/,
  },
  'NUL in a text': { fields: { service_name: 'a\0b' }, names: /^service_name: .*NUL/ },
  'NUL in a channel': { fields: { target_channel_id: '@a\0' }, names: /^target_channel_id: .*NUL/ },
  'no message_id': { options: { messageId: undefined }, names: /^message_id: / },
  'a message_id that is none': { options: { messageId: "1' OR 1=1" }, names: /^message_id: .*UUID/ },
  'a deadline that is over': {
    options: { headers: { 'x-deadline': '2020-01-01T00:00:00.000Z' } },
    code: 'DEADLINE_EXCEEDED',
    names: /^x-deadline: /,
  },
  'an operation that is none': { operation: 'action.steal', code: 'UNKNOWN_OPERATION', names: /^routing key: / },
  'a session with fields that are none': {
    operation: 'admin.register',
    fields: { dry_run: true },
    names: /^dry_run: /,
  },
  'a session in JSON cut off': {
    operation: 'admin.register',
    raw: `{"accounts": [{"user_id": 1, "phone": "+${PHONE}", "session_data": "${SESSION}"`,
    code: MALFORMED,
    names: /^body: must be JSON/,
  },
};

/** All that requests may change, but for what the neighbours' own answers leave. */
const state = async (): Promise<unknown[]> =>
  installation.query(
    ['telegram_sessions', 'leases', 'usage_windows', 'channel_usage', 'counted_actions', 'events']
      .map((table) => `SELECT md5(string_agg(t::text, '' ORDER BY t::text)) AS rows FROM ${table} t`)
      .join(' UNION ALL '),
  );
const bodyOf = ({ operation = 'action.acquire', raw, fields }: Case): Buffer =>
  raw === undefined ? Buffer.from(JSON.stringify((bodies[operation] ?? acquire)(fields))) : Buffer.from(raw);

test.each(Object.entries(cases))('%s: answered by field and rule, without effect, parked', async (_, given) => {
  const { client, query } = installation;
  const { operation = 'action.acquire', code = 'VALIDATION_FAILED', names, options = {} } = given;
  const before = await state();
  const correlationId = randomUUID();
  const messageId = randomUUID();
  const neighbour = () => client.call('action.check', { account_id: accountId, action_type: 'message' });
  const [{ reply, message }, ...neighbours] = await Promise.all([
    client.ask(operation, bodyOf(given), { messageId, ...options, correlationId }),
    neighbour(),
    neighbour(),
  ]);

  expect(reply).toMatchObject({ success: false, error: { code, message: expect.stringMatching(names) } });
  if (code === 'VALIDATION_FAILED')
    expect(reply).toMatchObject({ error: { details: { issues: [expect.anything()] } } });
  expect(message.properties.headers).toMatchObject({ 'x-error-code': code });
  expect(neighbours).toMatchObject([{ allowed: true }, { allowed: true }]);

  // A request that came too late is answered and forgotten.
  const copy =
    code === 'DEADLINE_EXCEEDED' ? undefined : await eventually('it is parked', () => parked.get(correlationId));
  if (copy !== undefined)
    expect(copy.properties.headers).toMatchObject({
      'x-error-code': code,
      'x-error-message': expect.stringMatching(names),
      'x-original-routing-key': operation,
    });
  const all = JSON.stringify([copy?.properties, copy?.content.toString(), message.content.toString()]);
  expect(all).not.toContain(SESSION.slice(20, 60));
  expect(all).not.toContain(PHONE);
  expect(await state()).toEqual(before);
  expect(await query('SELECT FROM answered_requests WHERE message_id = $1', [messageId])).toEqual([]);
});

test("nothing is written into somebody's queue", async () => {
  const { client } = installation;
  await client.channel.assertQueue('mailbox');
  const correlationId = randomUUID();
  const before = await state();
  client.channel.publish(EXCHANGES.requests.name, 'action.acquire', bodyOf({ names: /./ }), {
    contentType: 'application/json',
    messageId: randomUUID(),
    correlationId,
    replyTo: 'mailbox',
  });
  const copy = await eventually('it is parked', () => parked.get(correlationId));
  expect(copy?.properties.headers).toMatchObject({ 'x-error-message': expect.stringMatching(/^reply_to: /) });
  expect(await client.channel.checkQueue('mailbox')).toMatchObject({ messageCount: 0 });
  expect(await state()).toEqual(before);
});

test('the control: the same request without a fault has its effect', async () => {
  const before = await state();
  expect(await installation.client.call('action.acquire', acquire({ service_name: undefined }))).toMatchObject({
    success: true,
    allowed: true,
  });
  expect(await state()).not.toEqual(before);
});
