import { createConnection } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createHttpDoor, type HttpDoor } from '../../src/doors/http/door.js';
import { createEventFeed } from '../../src/requests/event-feed.js';
import { createDatabase, type Database } from '../../src/store/database.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { eventually } from '../support/eventually.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { openGate } from './open-gate.js';

const PATH = '/api/v1/account-manager/events/stream';

let harness: OperationsHarness;
let database: Database;
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  harness = await startOperations();
  database = createDatabase({ url: harness.databaseUrl, poolSize: 4, onConnectionError: () => {} });
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(async () => {
  await database.close();
  await harness.close();
});

/** A door of its own, as another instance has it. */
const openDoor = async (): Promise<{
  door: HttpDoor;
  url: string;
  port: number;
  metrics: ReturnType<typeof createMetrics>;
}> => {
  const metrics = createMetrics();
  const log = createLog({ level: 'error', instance: 'test', stream: new PassThrough() });
  const feed = createEventFeed({ sql: database.reader, databaseUrl: harness.databaseUrl, log });
  const door = createHttpDoor({
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    metrics,
    gate: openGate,
    log,
    dispatch: harness.dispatch,
    events: { feed, access: harness.access, metrics },
  });
  const { port } = await door.start('127.0.0.1', 0);
  closers.push(
    () => feed.close(),
    () => door.stop(),
  );
  return { door, port, metrics, url: `http://127.0.0.1:${port}${PATH}` };
};

interface Reader {
  events: { id: string; type: string; data: Record<string, unknown> }[];
  /** Everything that came. */
  text: () => string;
  ended: Promise<void>;
  close: () => void;
}

/** Reads a stream until it is closed. */
const openReader = async (url: string, lastEventId?: string): Promise<Reader> => {
  const leaving = new AbortController();
  const response = await fetch(url, {
    signal: leaving.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events: Reader['events'] = [];
  let text = '';
  let rest = '';
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const piece = decoder.decode(chunk, { stream: true });
      text += piece;
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, id] = /^id: (.*)$/m.exec(block) ?? [];
        const [, type = ''] = /^event: (.*)$/m.exec(block) ?? [];
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (id !== undefined && data !== undefined) events.push({ id, type, data: JSON.parse(data) });
      }
    }
  };
  const ended = read().catch(() => undefined);
  closers.push(() => leaving.abort());
  return { events, text: () => text, ended, close: () => leaving.abort() };
};
const idsOf = (events: Reader['events']) => events.map(({ data }) => data.id);
const hasOpened = (reader: Reader) => eventually('it says : open', () => reader.text().includes(': open'));

test('tells events as they come, and those after a position', async () => {
  const { url } = await openDoor();
  const user = newUser();
  const reader = await openReader(`${url}?user_id=${user}`);
  const typed = await openReader(`${url}?types=account.draining,account.recovered&user_id=${user}`);
  await Promise.all([reader, typed].map(hasOpened));
  await harness.registerAccounts(newUser(), 1);
  const [accountId = ''] = await harness.registerAccounts(user, 2);
  const status = { account_id: accountId, reason: 'test' };
  await harness.succeed('admin.set-status', { ...status, status: 'draining' });
  await eventually('the events have come', () => reader.events.length === 3 && typed.events.length === 1);
  expect(reader.events.map(({ type }) => type)).toEqual([
    'account.registered',
    'account.registered',
    'account.draining',
  ]);
  expect(reader.events[0]?.data).toMatchObject({
    specversion: '1.0',
    type: 'account.registered',
    source: 'account-manager',
  });

  // From the second on, by the header a browser sends, by the query, and by the other way of asking.
  const from = reader.events[1]!.id;
  for (const again of [
    await openReader(`${url}?user_id=${user}`, from),
    await openReader(`${url}?user_id=${user}&after=${from}`),
  ]) {
    await eventually('the events have come', () => again.events.length === 1);
    expect(again.events[0]?.type).toBe('account.draining');
  }
  const { events } = await harness.succeed('query.events', { after: from, user_id: user });
  expect(events.map(({ event }) => event.type)).toEqual(['account.draining']);
});

test('across a restart in the midst of the traffic nothing is missing and nothing comes twice', async () => {
  const user = newUser();
  const written = new Set<string>();
  const over = new AbortController();
  const write = (async () => {
    while (!over.signal.aborted) for (const id of await harness.registerAccounts(user, 1)) written.add(id);
  })();
  const accountsOf = ({ events }: Reader) => events.map(({ data }) => (data.data as { account_id: string }).account_id);
  const seen: string[] = [];
  let last: string | undefined;
  const start = await harness.succeed('query.events', { user_id: user, limit: 1, after: null });
  last = start.next_after;
  for (let instance = 0; instance < 4; instance++) {
    const { door, url } = await openDoor();
    const reader = await openReader(`${url}?user_id=${user}`, last);
    await eventually('the events have come', () => reader.events.length >= 5);
    // As at SIGTERM; what was on its way still arrives.
    door.endStreams();
    await reader.ended;
    expect(reader.text()).toContain(': this instance is shutting down');
    seen.push(...accountsOf(reader));
    last = reader.events.at(-1)!.id;
  }
  over.abort();
  await write;
  const { url } = await openDoor();
  const reader = await openReader(`${url}?user_id=${user}`, last);
  const skipped = start.events.length;
  await eventually('the events have come', () => seen.length + reader.events.length + skipped >= written.size);
  seen.push(...accountsOf(reader));
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length + skipped).toBe(written.size);
});

test('200 readers share one reading, and each gets everything', async () => {
  const { url, metrics } = await openDoor();
  const user = newUser();
  const readers = await Promise.all(Array.from({ length: 200 }, () => openReader(`${url}?user_id=${user}`)));
  await Promise.all(readers.map(hasOpened));
  expect(await metrics.registry.metrics()).toMatch(/^account_manager_event_stream_readers 200$/m);
  await harness.registerAccounts(user, 20);
  await eventually('the events have come', () => readers.every(({ events }) => events.length === 20), 30_000);
  const [first] = readers;
  for (const { events } of readers) expect(idsOf(events)).toEqual(idsOf(first!.events));
  for (const { close } of readers) close();
  await eventually('no reader is left', async () =>
    /^account_manager_event_stream_readers 0$/m.test(await metrics.registry.metrics()),
  );
});

test('a reader that does not keep up is dropped with a word; others go on', async () => {
  const { url, port, metrics } = await openDoor();
  const reader = await openReader(url);
  const slow = createConnection({ port, host: '127.0.0.1' });
  let text = '';
  slow.write(`GET ${PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await eventually('the stream opens', () => {
    text += String(slow.read() ?? '');
    return text.includes(': open');
  });
  await hasOpened(reader);
  // It takes nothing from here on. The operating system's buffers are filled first.
  const announce = (count: number, bytes: number) =>
    harness.query(
      `INSERT INTO events (event_id, type, data, occurred_at)
       SELECT gen_random_uuid(), 'alert.info', jsonb_build_object('filling', repeat('x', $2)), now()
       FROM generate_series(1, $1)`,
      [count, bytes],
    );
  let told = 0;
  for (const count of [600, 3_000, 3_000, 3_000, 3_000]) {
    await announce(count, count === 600 ? 20_000 : 10);
    told += count;
    await eventually('the events have come', () => reader.events.length >= told, 30_000);
  }
  await eventually('the dropped reader is counted', async () =>
    /^account_manager_event_streams_dropped_total 1$/m.test(await metrics.registry.metrics()),
  );
  slow.on('data', (chunk) => (text += chunk.toString()));
  await eventually('it says event: dropped', () => text.includes('event: dropped'));
  expect(text).toContain('the reader is too slow');
  expect(reader.events.length).toBe(told);
  slow.destroy();
});

test('an invalid request is refused before a stream begins', async () => {
  const { url, door } = await openDoor();
  const refusalOf = async (path: string, headers = {}) => {
    const response = await fetch(path, { headers });
    return { status: response.status, body: (await response.json()) as { error: { code: string; message: string } } };
  };
  expect(await refusalOf(`${url}?after=tomorrow`)).toMatchObject({
    status: 422,
    body: { error: { message: expect.stringMatching(/^after: /) } },
  });
  expect(await refusalOf(url, { 'last-event-id': 'x' })).toMatchObject({ status: 422 });
  expect(await refusalOf(`${url}?types=account.lost`)).toMatchObject({ status: 422 });
  expect(await refusalOf(`${url}?limit=3`)).toMatchObject({ status: 422 });
  door.endStreams();
  expect(await refusalOf(url)).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
});
