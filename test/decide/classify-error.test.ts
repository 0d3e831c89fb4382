import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ERROR_CLASSES } from '../../contracts/fields.js';
import { classifyError } from '../../src/decide/telegram-errors/classify-error.js';
import type { ErrorEffect, ErrorReport } from '../../src/decide/telegram-errors/types.js';

/** Rows of a table beside this file, without its heading; `\n` in a text stands for a line break. */
const readTable = (name: string): string[][] =>
  readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t').map((cell) => cell.replaceAll('\\n', '\n')));

/** The tables' word for an effect, as the effect it stands for. */
function expectedEffect(effect: string, errorClass: string, seconds: number | null): ErrorEffect {
  switch (effect) {
    case 'flood_wait+X':
      return { kind: 'wait', waitSeconds: seconds ?? 300 };
    case 'flood_wait+default':
      return { kind: 'wait', waitSeconds: 300 };
    case 'blocked 24h':
      return { kind: 'block' };
    case 'disabled needs_reauth':
      return { kind: 'disable', reason: 'needs_reauth' };
    case 'disabled manual':
      if (errorClass === 'banned' || errorClass === 'deactivated') return { kind: 'disable', reason: errorClass };
      return { kind: 'disable', reason: 'frozen' };
    case 'count_error':
    case 'none':
      return { kind: effect };
    default:
      throw new Error(`no such effect: ${effect}`);
  }
}

const TEXTS = ['telegram-error-messages.tsv', 'telegram-error-forms.tsv'].flatMap(readTable);
const NAMES = readTable('telegram-errors.tsv');
const isFatal = ({ kind }: ErrorEffect): boolean => kind === 'disable' || kind === 'block';

test.each(TEXTS)('%s: %s', (_form, text = '', errorClass = '', digits = '', effect = '') => {
  const seconds = digits === '' ? null : Number(digits);
  expect(classifyError({ errorMessage: text })).toMatchObject({
    errorClass,
    seconds,
    effect: expectedEffect(effect, errorClass, seconds),
  });
});

test.each(NAMES)('%s %s is found as message, type and code', (_code, name = '', errorClass = '', effect = '') => {
  const expected = { errorClass, effect: expectedEffect(effect, errorClass, null) };
  for (const report of [{ errorMessage: name }, { errorType: name }, { errorCode: name }]) {
    const classified = classifyError(report);
    expect(classified).toMatchObject(expected);
    expect(classified.name?.toUpperCase()).toBe(name === 'Timedout' ? 'TIMEOUT' : name.toUpperCase());
  }
});

test.each(
  NAMES.filter(([, name = '']) => /_X(?:_|MIN|$)/.test(name)),
)('%s %s is found with a number in place of X', (_code, name = '', errorClass = '', effect = '') => {
  const classified = classifyError({ errorMessage: `RPCError 420: ${name.replace('_X', '_77')} (caused by Some)` });
  expect(classified).toMatchObject({ name, errorClass });
  if (effect === 'flood_wait+X') expect(classified.effect).toEqual({ kind: 'wait', waitSeconds: 77 });
});

const wait = (waitSeconds: number): ErrorEffect => ({ kind: 'wait', waitSeconds });
const disable = (reason: 'banned' | 'deactivated' | 'frozen' | 'needs_reauth'): ErrorEffect => ({
  kind: 'disable',
  reason,
});
const block: ErrorEffect = { kind: 'block' };
const count: ErrorEffect = { kind: 'count_error' };
const none: ErrorEffect = { kind: 'none' };

test.each<[string, ErrorReport, string, ErrorEffect]>([
  // the contract's own types
  ['a type alone', { errorType: 'flood_wait' }, 'flood_wait', wait(300)],
  ['a type alone', { errorType: 'peer_flood' }, 'peer_flood', block],
  ['a type alone', { errorType: 'auth_key_error' }, 'auth', disable('needs_reauth')],
  ['a type alone', { errorType: 'session_password_needed' }, 'auth', disable('needs_reauth')],
  ['a type alone', { errorType: 'phone_number_banned' }, 'banned', disable('banned')],
  ['a type alone', { errorType: 'user_deactivated' }, 'deactivated', disable('deactivated')],
  ['a type alone', { errorType: 'privacy_restricted' }, 'privacy', none],
  ['a type alone', { errorType: 'network_error' }, 'transient', count],
  ['a type alone', { errorType: 'unknown_error' }, 'other', count],
  ['a type in another spelling', { errorType: 'Flood Wait Error' }, 'flood_wait', wait(300)],
  ['a type in another spelling', { errorType: 'User Deactivated Ban' }, 'banned', disable('banned')],
  ['a type in another spelling', { errorType: 'AUTHKEYDUPLICATED' }, 'auth', disable('needs_reauth')],
  ['a type in another spelling', { errorType: 'privacy-restricted' }, 'privacy', none],
  ['a type in another spelling', { errorType: 'Unknown Error' }, 'other', count],
  ['a type in another spelling', { errorType: 'slow_mode', seconds: 20 }, 'slow_mode', none],
  ['a type in the message', { errorMessage: 'privacy_restricted' }, 'privacy', none],
  ['a type in the message', { errorMessage: '{"error_type":"auth_key_error"}' }, 'auth', disable('needs_reauth')],
  ['a base class', { errorType: 'BadRequestError' }, 'invalid_request', none],
  ['a base class', { errorType: 'UnauthorizedError' }, 'auth', disable('needs_reauth')],
  ['a base class', { errorType: 'ForbiddenError' }, 'permission', none],
  ['a base class', { errorType: 'ServerError' }, 'transient', count],
  ['a class of the language', { errorType: 'ConnectionResetError' }, 'transient', count],
  ['a class of the language', { errorType: 'ValueError' }, 'other', none],
  // the text decides where it says more than the type
  ['text over type', { errorType: 'flood_wait', errorMessage: 'PEER_FLOOD' }, 'peer_flood', block],
  ['text over type', { errorType: 'flood_wait', errorMessage: 'SLOWMODE_WAIT_30' }, 'slow_mode', none],
  ['text over type', { errorType: 'user_deactivated', errorMessage: 'INPUT_USER_DEACTIVATED' }, 'target', none],
  [
    'text over type',
    { errorType: 'unknown_error', errorMessage: '401: USER_DEACTIVATED_BAN (caused by users.GetUsers)' },
    'banned',
    disable('banned'),
  ],
  [
    'text over type',
    { errorType: 'flood_wait', errorMessage: 'Too many requests (caused by InviteToChannelRequest)' },
    'peer_flood',
    block,
  ],
  [
    'text over type',
    { errorType: 'peer_flood', errorMessage: 'Too Many Requests: retry after 30' },
    'flood_wait',
    wait(30),
  ],
  // the type decides where the text says less, or leaves a choice
  ['type over text', { errorType: 'peer_flood', errorMessage: '429 Too Many Requests' }, 'peer_flood', block],
  ['type over text', { errorType: 'flood_wait', errorMessage: 'Connection reset by peer' }, 'flood_wait', wait(300)],
  ['type over text', { errorType: 'PeerFloodError', errorMessage: 'request failed' }, 'peer_flood', block],
  ['a choice', { errorType: 'flood_wait', errorMessage: 'Too many requests' }, 'flood_wait', wait(300)],
  ['a choice', { errorCode: 429, errorMessage: 'Too many requests' }, 'flood_wait', wait(300)],
  ['a choice', { errorCode: 400, errorMessage: 'Too many requests' }, 'peer_flood', block],
  [
    'a choice',
    { errorType: 'UserDeactivatedBanError', errorMessage: 'The user has been deleted/deactivated (caused by X)' },
    'banned',
    disable('banned'),
  ],
  [
    'type over text',
    { errorType: 'FloodWaitError', errorMessage: "'FloodWaitError' object has no attribute 'value'", seconds: 30 },
    'flood_wait',
    wait(30),
  ],
  [
    "a program's error",
    {
      errorType: 'AttributeError',
      errorMessage: "module 'telethon.errors' has no attribute 'UserDeactivatedBanError'",
    },
    'other',
    none,
  ],
  [
    "a program's error",
    { errorType: 'UnboundLocalError', errorMessage: "cannot access local variable 'user_deactivated'" },
    'other',
    none,
  ],
  ["a program's error", { errorType: 'KeyError', errorMessage: "'PEER_FLOOD'" }, 'other', none],
  ["a proxy's answer", { errorType: 'ProxyError', errorMessage: 'HTTP 401 Unauthorized' }, 'auth', count],
  ["a proxy's answer", { errorType: 'ProxyError', errorCode: 401 }, 'auth', count],
  [
    'which wait it is',
    { errorType: 'SlowmodeWait', errorCode: 420, errorMessage: 'A wait of 30 seconds is required' },
    'slow_mode',
    none,
  ],
  [
    'which wait it is',
    { errorType: 'FloodPremiumWait', errorCode: 420, errorMessage: 'A wait of 5 seconds is required' },
    'premium_wait',
    wait(5),
  ],
  // codes
  ['a code alone', { errorCode: 420 }, 'flood_wait', wait(300)],
  ['a code alone', { errorCode: '429' }, 'flood_wait', wait(300)],
  ['a code alone', { errorCode: 401 }, 'auth', disable('needs_reauth')],
  ['a code alone', { errorCode: -404 }, 'auth', disable('needs_reauth')],
  ['a code alone', { errorCode: -429 }, 'transient', count],
  ['a code alone', { errorCode: 400 }, 'invalid_request', none],
  ['a code alone', { errorCode: 403 }, 'permission', none],
  ['a code alone', { errorCode: 406 }, 'other', none],
  ['a code alone', { errorCode: 500 }, 'transient', count],
  ['a code alone', { errorCode: -503 }, 'transient', count],
  ['a code alone', { errorCode: 303 }, 'migrate', none],
  ['a code alone', { errorCode: 0 }, 'other', none],
  ['a code that is a name', { errorCode: 'FLOOD_WAIT_60' }, 'flood_wait', wait(60)],
  ['a code that is a name', { errorCode: 'Peer Flood' }, 'peer_flood', block],
  ['a code that is a name', { errorCode: 'ECONNRESET' }, 'transient', count],
  ['a code beside something unknown', { errorCode: 401, errorMessage: 'boom' }, 'auth', count],
  ['a code beside something unknown', { errorCode: -404, errorMessage: 'boom' }, 'auth', count],
  ['a code beside something unknown', { errorCode: 420, errorMessage: 'boom' }, 'flood_wait', wait(300)],
  // seconds
  ['seconds of the report', { errorType: 'flood_wait', seconds: 3600 }, 'flood_wait', wait(3600)],
  ['seconds of the report', { errorMessage: 'FLOOD_WAIT_X', seconds: 12.2 }, 'flood_wait', wait(13)],
  ['the longer seconds', { errorMessage: 'FLOOD_WAIT_300', seconds: 60 }, 'flood_wait', wait(300)],
  ['the longer seconds', { errorMessage: 'FLOOD_WAIT_300', seconds: 600 }, 'flood_wait', wait(600)],
  ['seconds out of range', { errorType: 'flood_wait', seconds: 0 }, 'flood_wait', wait(1)],
  ['seconds out of range', { errorType: 'flood_wait', seconds: -5 }, 'flood_wait', wait(300)],
  ['seconds out of range', { errorType: 'flood_wait', seconds: Number.NaN }, 'flood_wait', wait(300)],
  ['seconds out of range', { errorType: 'flood_wait', seconds: 1e300 }, 'flood_wait', wait(1_209_600)],
  ['seconds of no wait', { errorType: 'peer_flood', seconds: 60 }, 'peer_flood', block],
  ['seconds as the whole text', { errorType: 'FloodWaitError', errorMessage: '3600' }, 'flood_wait', wait(3600)],
  ['a code as the whole text', { errorType: 'FloodWaitError', errorMessage: '420' }, 'flood_wait', wait(300)],
  // lengths in words
  ['units in a name', { errorMessage: 'FLOOD_WAIT_1m30s' }, 'flood_wait', wait(90)],
  ['several units', { errorMessage: 'please wait 1 hour and 30 minutes' }, 'flood_wait', wait(5400)],
  ['several units', { errorMessage: 'retry after 2 days, 3 hours' }, 'flood_wait', wait(183_600)],
  ['a clock', { errorMessage: 'a wait of 1:30:00 is required' }, 'flood_wait', wait(5400)],
  ['a time of day beside it', { errorMessage: 'FLOOD_WAIT: retry after 35 at 10:30' }, 'flood_wait', wait(35)],
  [
    'colours',
    { errorMessage: '\u001b[31mFloodWait\u001b[0m: A wait of \u001b[1m55\u001b[0m seconds' },
    'flood_wait',
    wait(55),
  ],
  ['milliseconds', { errorMessage: 'FLOOD_WAIT, retry after 1500 ms' }, 'flood_wait', wait(2)],
  // nothing to go by
  ['an empty report', {}, 'other', none],
  ['an empty report', { errorType: null, errorMessage: '', errorCode: null, seconds: null }, 'other', none],
])('%s: %j', (_what, report, errorClass, effect) => {
  expect(classifyError(report)).toMatchObject({ errorClass, effect });
});

test('an error is found in the middle of a long text, and at the end of one of any length', () => {
  const stack = '  File "/app/worker.py", line 3, in go\n    raise UserDeactivatedBanError\n'.repeat(100);
  const request = { message: 'PEER_FLOOD '.repeat(300) };
  expect(classifyError({ errorMessage: `${stack}FLOOD_WAIT_30\n${stack}`.slice(0, 16_384) }).seconds).toBe(30);
  expect(classifyError({ errorMessage: JSON.stringify({ error: 'FLOOD_WAIT_30', request }) }).seconds).toBe(30);
  expect(classifyError({ errorMessage: `${stack.repeat(30)}FLOOD_WAIT_30` }).seconds).toBe(30);
});

test('a wait is named whether it comes from the text or the report', () => {
  expect(classifyError({ errorMessage: 'SLOWMODE_WAIT_X', seconds: 12 }).seconds).toBe(12);
  expect(classifyError({ errorMessage: 'PEER_FLOOD', seconds: 12 }).seconds).toBeNull();
});

const anyReport = fc.record(
  {
    errorType: fc.option(fc.string({ unit: 'binary' })),
    errorMessage: fc.option(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 6000 }),
        fc.json(),
        fc.array(fc.constantFrom(...TEXTS.map(([, text = '']) => text)), { maxLength: 3 }).map((all) => all.join(' ')),
      ),
    ),
    errorCode: fc.option(fc.oneof(fc.integer(), fc.double(), fc.string())),
    seconds: fc.option(fc.double()),
  },
  { requiredKeys: [] },
);

test('any report gets a class and an effect within bounds', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const { errorClass, seconds, effect } = classifyError(report);
      expect(ERROR_CLASSES).toContain(errorClass);
      if (seconds !== null) expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 1_209_600).toBe(true);
      if (effect.kind === 'wait') expect(effect.waitSeconds).toBe(seconds ?? 300);
    }),
    { numRuns: 500 },
  );
});

test('a text nobody knows neither blocks nor disables', () => {
  // Words, numbers and punctuation as errors have them, but neither a whole name nor a whole sentence.
  const word = fc.oneof(
    fc.stringMatching(/^[a-z]{1,9}$/),
    fc.constantFrom(
      'account',
      'banned',
      'user',
      'deactivated',
      'session',
      'revoked',
      'key',
      'invalid',
      'flood',
      'peer',
    ),
    fc.constantFrom('PEER', 'FLOOD', 'USER', 'DEACTIVATED', 'AUTH', 'KEY', '_', '401', '420', ':', '(', '{', '"', '\n'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      const text = `x ${words.join(' ')}`;
      fc.pre(!TEXTS.some(([, known = '']) => text.includes(known)) && !/\b(?:unauthorized|unregistered)\b/.test(text));
      expect(isFatal(classifyError({ errorMessage: text }).effect)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  'too many requests',
  'the key is invalid',
  'the session has expired',
  'the user has been deleted/deactivated',
  'the phone number is banned from Telegram',
  'unauthorized',
])('a known sentence inside a longer one is not that error: %s', (sentence) => {
  const capital = `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
  expect(isFatal(classifyError({ errorMessage: `${capital} (caused by GetUsersRequest)` }).effect)).toBe(true);
  for (const text of [`somebody wrote that ${sentence}`, `${capital}ish, we think`, `we saw ${sentence} again`]) {
    expect([text, isFatal(classifyError({ errorMessage: text }).effect)]).toEqual([text, false]);
  }
});

test('a name keeps its class in a traceback, behind a prefix, before a suffix', () => {
  // It looks like a frame of Go, which ends with its arguments.
  expect(classifyError({ errorMessage: 'failed:\na.-() PEER_FLOOD' }).errorClass).toBe('peer_flood');
  const noise = fc.stringMatching(/^[a-zа-я ,.:\n/()-]{0,80}$/);
  const name = fc.constantFrom(...NAMES.filter(([, each = '']) => each.includes('_')));
  fc.assert(
    fc.property(noise, name, noise, (before, [, known = '', errorClass], after) => {
      for (const text of [`${before} ${known} ${after}`, `${before}[420 ${known}] - ${after}`]) {
        expect(classifyError({ errorMessage: text })).toMatchObject({ name: known, errorClass });
      }
    }),
    { numRuns: 1000 },
  );
});

test.each<[string, (text: string) => string]>([
  ['a prefix', (text) => `Error while inviting @foo: ${text}`],
  ['a prefix in Chinese', (text) => `发送失败：${text}`],
  ['a log line', (text) => `2026-11-23 10:15:42,123 ERROR worker[4242] ${text}`],
  ['colours', (text) => `\u001b[31m${text}\u001b[0m`],
  ['quotes', (text) => `RuntimeError("${text}")`],
  ['the attempt', (text) => `${text} (attempt 3 of 5) | user_id=123456789 chat_id=-1001234567890`],
  ['a stack', (text) => `${text}\n    at handle (/app/peer_flood.js:12:3)\n    at async main (/app/y.js:1:1)`],
  ['a field', (text) => JSON.stringify({ success: false, detail: { message: text } })],
  ['JSON in JSON', (text) => JSON.stringify(JSON.stringify({ error: text }))],
])('a text keeps its class within %s', (_what, wrap) => {
  for (const [form, text = ''] of TEXTS) {
    if (form === 'the whole text') continue;
    const { errorClass, seconds, effect } = classifyError({ errorMessage: text });
    expect([text, classifyError({ errorMessage: wrap(text) })]).toMatchObject([text, { errorClass, seconds, effect }]);
  }
});

test('part of a longer name is not that name', () => {
  const known = new Set(NAMES.map(([, name]) => name));
  const fatal = NAMES.filter(
    ([, name = '']) => name.includes('_') && isFatal(classifyError({ errorCode: name }).effect),
  );
  expect(fatal.length).toBeGreaterThan(15);
  fc.assert(
    fc.property(
      fc.constantFrom(...fatal),
      fc.stringMatching(/^[A-Z]{1,8}$/),
      fc.constantFrom<(name: string, word: string) => string>(
        (name, word) => `${word}_${name}`,
        (name, word) => `${name}_${word}`,
        (name, word) => `${word}${name}`,
        (name, word) => `${name.toLowerCase()}_${word.toLowerCase()}`,
      ),
      ([, name = ''], word, combine) => {
        const combined = combine(name, word);
        fc.pre(!known.has(combined.toUpperCase()) && word !== 'X' && !/^X+$/.test(word));
        for (const report of [{ errorMessage: combined }, { errorType: combined }, { errorCode: combined }]) {
          expect(isFatal(classifyError(report).effect)).toBe(false);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('every class that Telethon would make of a name is that name', () => {
  const toClass = (name: string): string =>
    name
      .replace(/_X(?=_|MIN$|$)/g, '')
      .replace(/^2FA/, 'TWO_FA')
      .toLowerCase()
      .replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  for (const [, name = '', errorClass] of NAMES.filter(([, each = '']) => each.includes('_'))) {
    // Two names make this class; Telethon's is the one with the number.
    if (name === 'EMAIL_UNCONFIRMED') continue;
    for (const text of [`telethon.errors.rpcerrorlist.${toClass(name)}Error`, toClass(name)]) {
      if (!/[a-z\d][A-Z]/.test(text)) continue;
      expect([text, classifyError({ errorType: text }).errorClass]).toEqual([text, errorClass]);
    }
  }
});

test.each([
  '_',
  'A_',
  '1',
  ' wait ',
  'wait 1',
  'chat a ',
  '{',
  '{"error":',
  '[420 ',
  '"',
  'connection to ',
  'chat «',
  'has no attribute a_',
  '  File "',
  'a-',
  '1,000',
  '\n',
  'İ',
  'wait of 1s ',
  'MultiError, ',
  'INFO:\n',
  'a/x.py ',
  ' ^\n',
  'column a ',
])('work is bounded by the length of the text: %j', (unit) => {
  const text = `The key is invalid${unit.repeat(200_000 / unit.length)}x`;
  // Time of this process: how busy the machine is does not count.
  const startedAt = process.cpuUsage();
  classifyError({ errorMessage: text, errorType: text, errorCode: text });
  const { user, system } = process.cpuUsage(startedAt);
  expect((user + system) / 1000).toBeLessThan(250);
});
