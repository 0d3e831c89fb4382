import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLog, type Log, type LogFormat, type LogLevel } from '../../src/telemetry/log.js';

/** A log whose lines can be read back. */
const captureLog = (
  level: LogLevel = 'info',
  format: LogFormat = 'json',
): { log: Log; text: () => string; lines: () => Record<string, unknown>[] } => {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = createLog({ level, instance: 'one', format, stream });
  const lines = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { log, text: () => text, lines };
};

test('a line is one JSON object with instant, level, message, instance and its fields', () => {
  const { log, lines } = captureLog();
  log.info('allocated', { request_id: 'r1', user_id: 7, left: 3n, message_text: 'two\nlines' });
  expect(lines()).toEqual([
    {
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'info',
      message: 'allocated',
      instance: 'one',
      request_id: 'r1',
      user_id: 7,
      left: '3',
      message_text: 'two\nlines',
    },
  ]);
});

test('a child adds its fields, and a level set anywhere holds everywhere', () => {
  const { log, lines } = captureLog();
  const child = log.child({ service: 'inviter' }).child({ account_id: 'a' });
  child.debug('unseen');
  log.setLevel('debug');
  child.debug('seen', { account_id: 'b' });
  child.setLevel('error');
  log.warn('unseen');
  log.error('seen too');
  expect(lines().map(({ message, service, account_id }) => ({ message, service, account_id }))).toEqual([
    { message: 'seen', service: 'inviter', account_id: 'b' },
    { message: 'seen too' },
  ]);
});

test.each([
  'json',
  'pretty',
] as const)('as %s: secrets are hidden, by key at any depth and by their looks in any text', (format) => {
  const { log, text, lines } = captureLog('info', format);
  const session = `1${'Ab9_-'.repeat(70)}`;
  const secrets = {
    session_data: 'secret-1',
    session: { dc: 'secret-2' },
    nested: [{ phone: '+secret-3', phoneNumber: 'secret-4', deeper: { password: 'secret-5' } }],
    accessToken: 'secret-6',
    authorization: 'Bearer secret-7',
    bytes: Buffer.from('secret-8'),
    url: 'amqp://guest:secret-9@broker:5672/ and redis://:secret-10@cache',
    password_with_at: 'postgres://u:secret@11@host/db',
    pasted: `got ${session} from the caller`,
    error: new Error(`refused ${session} on postgres://u:secret-12@host/db`),
    kept: { session_count: 2, phoneless: 'yes', hash: 'a'.repeat(64), link: 'https://t.me/joinchat', mail: 'a@b.c' },
  };
  log.info(`connecting to amqp://guest:secret-13@broker with ${session}`, secrets);
  expect(text()).not.toMatch(/secret-?\d|secret@11/);
  expect(text()).not.toContain('Ab9_-Ab9_-');
  expect(text()).not.toContain(Buffer.from('secret-8').toString('base64').slice(0, 8));
  if (format === 'pretty') return;
  expect(lines()[0]).toMatchObject({
    message: 'connecting to amqp://[redacted]@broker with [redacted]',
    url: 'amqp://[redacted]@broker:5672/ and redis://[redacted]@cache',
    pasted: 'got [redacted] from the caller',
    kept: secrets.kept,
  });
});

test('a long text is cut, and a session string across the cut does not show', () => {
  const { log, text, lines } = captureLog();
  log.info('long', { body: `${' '.repeat(8100)}${'Qx7/+'.repeat(80)}${' '.repeat(5000)}` });
  expect(text()).not.toContain('Qx7/+');
  expect(text().length).toBeLessThan(9000);
  expect(lines()[0]?.body).toMatch(/… \(13500 characters\)$/);
});

test('errors are written with their code, stack and causes, and nothing else', () => {
  const { log, lines } = captureLog();
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', config: { key: 'inner' } });
  const several = new AggregateError([new Error('first'), new Error('second')]);
  log.error('failed', { error: new TypeError('no database', { cause }), several });
  expect(lines()[0]).toMatchObject({
    error: {
      name: 'TypeError',
      message: 'no database',
      stack: expect.stringContaining('log.test'),
      cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
    },
    several: { name: 'AggregateError', errors: [{ message: 'first' }, { message: 'second' }] },
  });
  expect(JSON.stringify(lines())).not.toContain('inner');
  try {
    readFileSync('/no/such/file');
  } catch (error) {
    log.error('of another realm', { error });
  }
  log.error('aborted', { error: AbortSignal.abort().reason });
  expect(lines().slice(1)).toMatchObject([{ error: { code: 'ENOENT' } }, { error: { name: 'AbortError' } }]);
});

test('values that JSON cannot hold never throw', () => {
  const { log, lines } = captureLog();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const looped = new Error('looped');
  looped.cause = looped;
  log.info('circle', { circle });
  log.info('looped', { looped });
  expect(lines()).toMatchObject([
    { message: 'circle', unwritable_fields: expect.stringContaining('circular') },
    { message: 'looped', looped: { message: 'looped', cause: { message: 'looped' } } },
  ]);
});

test('for people, a line is the instant, the level, the sentence and what it does not name', () => {
  const { log, text } = captureLog('info', 'pretty');
  log.info('account 4f1c is active again', { account_id: '4f1c', user_id: 7, reason: 'two words', nested: { a: [1] } });
  log.warn('told', {});
  expect(text()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z INFO {3}account 4f1c is active again /);
  const [first = '', second = ''] = text().split('\n');
  expect(first.slice('2026-11-30 00:00:00.000Z INFO  '.length)).toBe(
    ' account 4f1c is active again user_id=7 reason="two words" nested={"a":[1]}',
  );
  expect(second.slice('2026-11-30 00:00:00.000Z '.length)).toBe('WARN   told');
});

test('for people, an error is one line, with its stack where it tells of a defect', () => {
  const { log, text } = captureLog('info', 'pretty');
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  log.warn('database away', { error: new Error('no database', { cause }) });
  expect(text().split('\n')).toEqual([
    expect.stringMatching(/WARN +database away error="no database, caused by connect ECONNREFUSED \(ECONNREFUSED\)"$/),
    '',
  ]);
  log.error('request failed', { error: new TypeError('not a function') });
  const [, line, frame] = text().split('\n');
  expect(line).toMatch(/ERROR +request failed error="not a function"$/);
  expect(frame).toMatch(/^ {4}at .*log\.test/);
});

test('for people, nothing in a value begins a line or reaches the terminal', () => {
  const { log, text } = captureLog('info', 'pretty');
  log.info('said\n2026 ERROR forged\u001b[2J', { service: 'a\nb', 'key\r': '\u009b31m', unwritable: undefined });
  expect(text().split('\n')).toHaveLength(2);
  expect(text().trimEnd()).not.toMatch(/[\u0000-\u001f\u0080-\u009f]/);
});
