import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLog, type Log, type LogLevel } from '../../src/telemetry/log.js';

/** A log whose lines can be read back. */
const captureLog = (
  level: LogLevel = 'info',
): { log: Log; text: () => string; lines: () => Record<string, unknown>[] } => {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = createLog({ level, instance: 'one', stream });
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

test('secrets are hidden, by key at any depth and by their looks in any text', () => {
  const { log, text, lines } = captureLog();
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

test('what JSON cannot hold never throws', () => {
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
