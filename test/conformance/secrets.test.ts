import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EXAMPLES } from '../../contracts/examples.js';
import { EXAMPLE, type Example } from '../../contracts/examples/example.js';
import { OPERATION_NAMES, OPERATIONS, type OperationName, type ReplyBody } from '../../contracts/operations.js';
import { EXCHANGES, PARKED } from '../../contracts/topology.js';
import { type JsonSchema, toSchema } from '../../scripts/contracts/schemas.js';
import type { Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import { telethonSession } from '../support/session-strings.js';
import { bind, bringAbout, succeed } from './bring-about.js';
import { DOORS, type OpenService, openService } from './open-service.js';

// Secrets are put wherever a caller can put anything; then everything that leaves the service is searched.

const refusedPhone = '+4915511223344';
const proxyPassword = randomBytes(20).toString('hex');
const encryptionKey = randomBytes(32).toString('hex');
const pyrogramSession = Buffer.concat([Buffer.from([2]), randomBytes(270)]).toString('base64url');
const CANARIES = {
  session: telethonSession(),
  pyrogramSession,
  truncatedSession: telethonSession().slice(0, 320),
  authKey: randomBytes(256).toString('hex'),
  botToken: `7104567890:AA${randomBytes(24).toString('base64url')}`,
  phone: '+4915199887766',
};

/** A part of each that nobody else has: a text that was cut still shows it. */
const SECRETS = {
  ...Object.fromEntries(Object.entries(CANARIES).map(([name, text]) => [name, text.slice(1, 31)])),
  proxyPassword,
  refusedPhone: refusedPhone.slice(1),
  encryptionKey: encryptionKey.slice(0, 30),
};

/** Texts of an operator are kept as they are: into the history, where no secrets belong, or with the account. */
const KEPT_AS_GIVEN = new Set(['reason', 'recovery_type', 'metadata']);
/** Fields that stand in the row of their account, and nowhere else. */
const OF_THE_ACCOUNT = new Set(['phone', 'proxyPassword']);

let open: OpenService;
const published = { events: [] as string[], parked: [] as string[] };
/** Replies without what the caller is to have: the session and the phone number of its allocation. */
const replies: string[] = [];

beforeAll(async () => {
  open = await openService({ LOG_LEVEL: 'debug', SESSION_ENCRYPTION_KEY: encryptionKey });
  const { channel } = open.rpc;
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.events.name, '#');
  const collect = (from: string, into: string[]) =>
    channel.consume(
      from,
      (message) => {
        if (message !== null) into.push(`${message.content.toString()} ${JSON.stringify(message.properties)}`);
      },
      { noAck: true },
    );
  await collect(queue, published.events);
  await collect(PARKED.name, published.parked);
});
afterAll(() => open.close());

const keep = (reply: Reply): void => {
  const withoutOwn = (key: string, value: unknown) => (['session_data', 'phone'].includes(key) ? undefined : value);
  replies.push(JSON.stringify(reply, withoutOwn));
};

/** One after the other: most fields refuse the long ones for their length, so each gets a short one too. */
const takeTurns = (canaries: readonly string[]): (() => string) => {
  let turn = 0;
  return () => canaries[turn++ % canaries.length] ?? '';
};
const longCanary = takeTurns([CANARIES.session, CANARIES.pyrogramSession, CANARIES.truncatedSession, CANARIES.authKey]);
const shortCanary = takeTurns([CANARIES.botToken, CANARIES.phone]);

/** Paths of the fields that take text, at any depth. */
function textFields(schema: JsonSchema | boolean, path: string[] = []): string[][] {
  if (typeof schema === 'boolean') return [];
  const alternatives = [schema, ...(schema.anyOf ?? [])].filter((one) => typeof one === 'object');
  return alternatives.flatMap((one) => [
    ...(one.type === 'string' ? [path] : []),
    ...Object.entries(one.properties ?? {}).flatMap(([name, inner]) => textFields(inner, [...path, name])),
    ...(typeof one.items === 'object' && !Array.isArray(one.items) ? textFields(one.items, [...path, '0']) : []),
    ...(one.type === 'object' && one.properties === undefined ? [[...path, 'note']] : []),
  ]);
}

/** The value with the text at the path; what is missing on the way is made. */
function put(value: unknown, [first, ...rest]: readonly string[], text: string): unknown {
  if (first === undefined) return text;
  const isIndex = first === '0';
  const whole = typeof value === 'object' && value !== null ? value : isIndex ? [] : {};
  const inner = put((whole as Record<string, unknown>)[first], rest, text);
  if (Array.isArray(whole)) return [inner, ...whole.slice(1)];
  return { ...whole, [first]: inner };
}

/** The operation with a canary in each field that takes text, in a field it does not know and as a field's name. */
async function fillFields(operation: OperationName): Promise<void> {
  const [example] = EXAMPLES[operation] as readonly [Example<OperationName>];
  const { request } = OPERATIONS[operation];
  const bindings = await bringAbout(open, example.given, EXAMPLE.serviceName);
  const valid = bind(example.request, bindings) as Record<string, unknown>;
  const paths = textFields(toSchema(request, 'draft-7')).filter(
    (path) => !path.some((name) => KEPT_AS_GIVEN.has(name)),
  );
  const bodies = [
    ...paths.flatMap((path) => [put(valid, path, longCanary()), put(valid, path, shortCanary())]),
    { ...valid, surprise: { deep: [`text around ${longCanary()} text`, `and ${shortCanary()}`] } },
    { ...valid, [longCanary()]: 1, [shortCanary()]: 2 },
  ] as Record<string, unknown>[];
  for (const door of DOORS) {
    const answers = await Promise.all(bodies.map((body) => open.send(door, operation, body)));
    for (const { reply } of answers) keep(reply);
  }
}

/** Sends secrets in places that no schema describes: malformed bodies, properties, headers and paths. */
async function sendMalformed(canary: string): Promise<void> {
  const { rpc, service } = open;
  const bodies = [
    `{"account_id": "${canary}"`,
    `{"session_data": "${canary}"`,
    JSON.stringify(canary),
    `${'['.repeat(20)}"${canary}"${']'.repeat(20)}`,
    `{"session_data": "${canary}", "a": "${'x'.repeat(300_000)}"}`,
    `{"__proto__": "${canary}"}`,
    `{"account_id": "${canary}\\u0000"}`,
  ];
  const answers = await Promise.all([
    ...bodies.flatMap((body) => [
      rpc.ask('account.release', Buffer.from(body)),
      rpc.ask('admin.register', Buffer.from(body)),
      rpc.ask('action.check', Buffer.from(body), { contentType: 'text/plain' }),
    ]),
    rpc.ask(`action.${canary.slice(0, 200)}`, {}),
    rpc.ask('action.check', {}, { messageId: canary.slice(0, 200) }),
    rpc.ask('action.check', {}, { headers: { 'x-deadline': canary, traceparent: canary, 'x-other': canary } }),
    rpc.ask('action.check', { account_id: canary }, { type: canary.slice(0, 200), appId: canary.slice(0, 200) }),
    // As the broker sends what was delivered too often, and what has expired.
    rpc.ask(
      'admin.register',
      { accounts: [{ session_data: canary, phone: canary }] },
      { exchange: EXCHANGES.dead.name },
    ),
    rpc.ask('account.error', { error_message: canary }, { exchange: EXCHANGES.dead.name }),
  ]);
  for (const { reply } of answers) keep(reply);

  const api = `${service.httpUrl}/api/v1/account-manager`;
  const text = encodeURIComponent(canary);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const responses = await Promise.all([
    ...bodies.map((body) => fetch(`${api}/release/${randomUUID()}`, { ...post, body })),
    fetch(`${api}/${text}`),
    fetch(`${api}/health/${text}`),
    fetch(`${api}/explain?user_id=${text}&${text}=1`),
    fetch(`${api}/status?token=${text}`),
    fetch(`${api}/accounts/%ZZ${text}`),
    fetch(`${api}/status`, { headers: { authorization: `Bearer ${canary}`, 'idempotency-key': canary } }),
    fetch(`${api}/status`, { headers: { 'x-deadline': canary, traceparent: canary } }),
  ]);
  for (const response of responses) replies.push(await response.text());
}

/** A row that the database does not take; what it says of it names the row. */
async function failInDatabase(): Promise<void> {
  await open.query(
    `ALTER TABLE telegram_sessions ADD CONSTRAINT no_canary CHECK (phone <> '${refusedPhone.slice(1)}') NOT VALID`,
  );
  await open.query(
    `ALTER TABLE telegram_sessions ADD CONSTRAINT no_canary_either CHECK (phone <> '${refusedPhone}') NOT VALID`,
  );
  const account = { user_id: 77, phone: refusedPhone, session_data: telethonSession() };
  const { reply } = await open.send('amqp', 'admin.register', { accounts: [account] });
  expect(reply).toMatchObject({ success: false, error: { code: 'INTERNAL' } });
  keep(reply);
}

/** Requests that succeed, named after secrets. */
async function nameRequests(accountId: string): Promise<void> {
  for (const canary of Object.values(CANARIES)) {
    const name = canary.slice(0, 120);
    const body = { account_id: accountId, status: 'draining', reason: 'checked' };
    const properties = { messageId: randomUUID(), correlationId: name, contentType: 'application/json' };
    open.rpc.channel.publish(EXCHANGES.admin.name, 'admin.set-status', Buffer.from(JSON.stringify(body)), properties);
    await open.rpc.channel.waitForConfirms();
    const { status } = await fetch(`${open.service.httpUrl}/api/v1/account-manager/recover/${accountId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': name },
      body: JSON.stringify({ reason: 'checked', force: true }),
    });
    expect(status).toBe(200);
  }
}

/** Where accounts are kept, and found by parts of their phone numbers. */
const HOMES: ReadonlySet<string> = new Set(['telegram_sessions', 'account_phones']);

/** The tables that hold the text, in whatever column. */
async function tablesHolding(text: string): Promise<string[]> {
  const tables = await open.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) =>
      open.query<{ name: string }>(`SELECT '${name}' AS name FROM ${name} t WHERE strpos(t::text, $1) > 0 LIMIT 1`, [
        text,
      ]),
    ),
  );
  return rows.flat().map(({ name }) => name);
}

const metrics = async (): Promise<string> => (await fetch(`${open.service.httpUrl}/metrics`)).text();

test('no session, key, token or phone number leaves the service but to whom it belongs', async () => {
  // First what is right: a registered account, whose session and phone number its holder gets.
  const { session: session_data, phone } = CANARIES;
  const metadata = { proxy: `socks5://user:${proxyPassword}@proxy.internal:1080` };
  await succeed(open, 'admin.register', { accounts: [{ user_id: 1, phone, session_data, metadata }] });
  const wish = { user_id: 1, purpose: 'general', service_name: 'canary-service' };
  const messageId = randomUUID();
  const granted = await open.send('amqp', 'account.allocate', wish, { messageId });
  expect(granted.reply).toMatchObject({ success: true, allocation: { session_data, phone } });
  expect((await open.send('http', 'account.allocate', wish, { messageId })).reply).toEqual(granted.reply);

  for (const operation of OPERATION_NAMES) await fillFields(operation);
  for (const canary of Object.values(CANARIES)) await sendMalformed(canary);
  await failInDatabase();
  await nameRequests((granted.reply as unknown as ReplyBody<'account.allocate'>).allocation.account_id);
  const marker = 'canary-service';
  const released = await open.send('amqp', 'account.release-all', { service_name: marker });
  expect(released.reply).toMatchObject({ success: true, released_count: 1 });
  await eventually('the last event', () =>
    published.events.some((event) => event.includes('account.released') && event.includes(marker)),
  );

  const places: Record<string, string> = {
    log: open.service.log(),
    metrics: await metrics(),
    events: published.events.join('\n'),
    parked: published.parked.join('\n'),
    replies: replies.join('\n'),
  };
  // The search finds what is there.
  expect(places.log).toContain(marker);
  expect(places.metrics).toContain(marker);
  expect(places.events).toContain(marker);
  expect(places.parked).toContain('surprise');
  expect(places.replies).toContain('VALIDATION_FAILED');
  expect(await tablesHolding(marker)).toContain('answered_requests');

  const leaks: string[] = [];
  for (const [secret, text] of Object.entries(SECRETS)) {
    for (const [place, content] of Object.entries(places)) {
      const at = content.indexOf(text);
      if (at >= 0) leaks.push(`${secret} in ${place}: …${content.slice(Math.max(0, at - 200), at + 60)}`);
    }
    for (const table of await tablesHolding(text)) {
      const isHome = OF_THE_ACCOUNT.has(secret) && HOMES.has(table);
      if (!isHome) leaks.push(`${secret} in the table ${table}`);
    }
  }
  expect(leaks).toEqual([]);
});
