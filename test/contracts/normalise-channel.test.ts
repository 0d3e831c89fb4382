import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normaliseChannel } from '../../contracts/normalise-channel.js';

const sameChannel: [key: string, spellings: string[]][] = [
  [
    'foo',
    [
      'foo',
      'Foo',
      '@Foo',
      't.me/foo',
      'T.ME/FOO',
      'http://t.me/Foo',
      'https://t.me/Foo',
      'HTTPS://t.me/Foo/',
      'https://www.t.me/foo',
      'https://telegram.me/foo',
      'telegram.dog/foo',
      'https://t.me/foo?start=1&x=https://t.me/bar',
      'https://t.me/foo#part',
      'https://t.me/foo/?single',
      'https://t.me/foo/123',
      'https://t.me/foo/123/',
      'https://t.me/foo/12/345?comment=6',
      'https://t.me/s/Foo',
      't.me/s/foo/123?before=5',
      'foo.t.me',
      'https://Foo.t.me/',
      'https://foo.t.me/123?single',
      'tg://resolve?domain=Foo',
      'tg:resolve?domain=foo&post=123',
      'TG://Resolve/?post=1&domain=foo#x',
      ' foo',
      '\t@Foo \n',
      '\u00a0https://t.me/foo\r\n',
      's/Foo',
      's/foo/7?before=9',
      'foo/123',
      '@foo/123',
      'foo?start=1',
      'https://t.me/@foo',
      'https://web.telegram.org/k/#@Foo',
      'https://web.telegram.org/a/#@foo/12',
      'web.telegram.org/#/im?p=@Foo',
      'HTTPS://Web.Telegram.Org/z/#@foo?x',
      'https://web.telegram.org/k/#?tgaddr=tg%3A%2F%2Fresolve%3Fdomain%3DFoo',
    ],
  ],
  [
    '1234567890',
    [
      '1234567890',
      '01234567890',
      '-1001234567890',
      't.me/c/1234567890',
      'https://t.me/c/1234567890/45',
      'https://telegram.me/c/1234567890/4/5?thread=1',
      'tg://privatepost?channel=1234567890&post=45',
      'c/1234567890',
      'c/1234567890/45',
      ' -1001234567890 ',
      'https://web.telegram.org/a/#-1001234567890',
      'https://web.telegram.org/a/#-1001234567890_45',
    ],
  ],
  // Ids of other lengths: the Bot API adds 10^12, it does not put "-100" in front.
  ['123', ['123', '-1000000000123', 't.me/c/123/1']],
  ['123456789012', ['123456789012', '-1123456789012']],
  ['-123', ['-123', '-0123']],
  ['-1001234567', ['-1001234567']],
  [
    '+AbC-d_9XyZ012345',
    [
      '+AbC-d_9XyZ012345',
      't.me/+AbC-d_9XyZ012345',
      'https://t.me/+AbC-d_9XyZ012345/',
      'https://t.me/joinchat/AbC-d_9XyZ012345',
      'HTTP://Telegram.Me/JoinChat/AbC-d_9XyZ012345?x=1',
      'tg://join?invite=AbC-d_9XyZ012345',
      'joinchat/AbC-d_9XyZ012345',
      'JoinChat/AbC-d_9XyZ012345/',
      'https://www.telegram.me/joinchat/AbC-d_9XyZ012345',
      ' +AbC-d_9XyZ012345 ',
    ],
  ],
  ['__proto__', ['__proto__', '@__PROTO__']],
  ['a'.repeat(64), ['A'.repeat(64)]],
];

test.each(
  sameChannel.flatMap(([key, spellings]) => spellings.map((spelling) => [spelling, key])),
)('%s is channel %s', (spelling, key) => {
  expect(normaliseChannel(spelling)).toBe(key);
});

test('keys of different channels differ', () => {
  const keys = sameChannel.map(([key]) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(normaliseChannel('t.me/+AbC')).not.toBe(normaliseChannel('t.me/+aBC'));
});

test.each([
  '',
  '@',
  ' ',
  ' \n\t',
  'foo\u0000',
  'f oo',
  's/',
  'c/foo',
  'joinchat/',
  'joinchat/a/b',
  'foo/bar',
  'login/12345',
  'https://web.telegram.org/k/',
  'https://web.telegram.org/k/#',
  'https://web.telegram.org/k/#/login',
  'https://web.telegram.org/k/#?tgaddr=%E0%A4%A',
  'https://web.telegram.org/k/#?tgaddr=https%3A%2F%2Ft.me%2Ffoo',
  'https://web.telegram.org/k/#777000',
  'foo bar',
  'foo-bar',
  'füü',
  '\u212Aelvin',
  'a'.repeat(65),
  '@@foo',
  '@-123',
  '-',
  '-0',
  '--1',
  '-1.5',
  '1.5',
  '1e+21',
  '-1000000000000',
  '-2000000000000',
  '-3123456789012',
  't.me',
  't.me/',
  'https://t.me',
  'https://t.me//foo',
  'https://t.me/foo/bar',
  'https://t.me/foo/-5',
  'https://t.me/c/foo/1',
  'https://t.me/c',
  'https://t.me/s/',
  'https://t.me/joinchat',
  'https://t.me/joinchat/a/b',
  'https://t.me/+',
  'https://t.me/+AbC/1',
  'https://t.me/addstickers/Foo',
  'https://t.me/share?url=foo',
  'https://t.me/proxy?server=foo',
  'https://t.me/login/12345',
  'ftp://t.me/foo',
  'https://example.com/foo',
  'https://t.me.example.com/foo',
  'https://example.com/t.me/foo',
  'https://nott.me/foo',
  'https://user@t.me/foo',
  'https://web.telegram.me/foo',
  't.meow/foo',
  'tg://resolve',
  'tg://resolve?phone=491701234567',
  'tg://resolve?domain=',
  'tg://privatepost?channel=foo',
  'tg://settings?domain=foo',
])('%j names no channel', (text) => {
  expect(normaliseChannel(text)).toBeNull();
});

test.each([
  '+491701234567',
  't.me/+491701234567',
  'tg://join?invite=491701234567',
])('%s is a phone number and never becomes a key', (text) => {
  expect(normaliseChannel(text)).toBeNull();
});

const word = fc.stringMatching(/^[A-Za-z0-9_]{1,64}$/);
const affix = fc.constantFrom(
  '',
  '@',
  '+',
  '-',
  '-100',
  't.me/',
  'https://t.me/',
  't.me/s/',
  't.me/c/',
  't.me/joinchat/',
);
const spelling = fc.oneof(
  fc.string(),
  fc.tuple(affix, word, fc.constantFrom('', '/', '/12', '?x=1')).map((parts) => parts.join('')),
  fc.tuple(affix, fc.nat({ max: Number.MAX_SAFE_INTEGER })).map((parts) => parts.join('')),
  fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }).map(String),
);

test('normalising a key gives that key', () => {
  fc.assert(
    fc.property(spelling, (text) => {
      const key = normaliseChannel(text);
      if (key !== null) expect(normaliseChannel(key)).toBe(key);
    }),
    { numRuns: 2000 },
  );
});

test('every word is a channel, and its spellings are one', () => {
  fc.assert(
    fc.property(
      word.filter((name) => name.length > 8),
      (name) => {
        const key = normaliseChannel(name);
        expect(key).not.toBeNull();
        for (const other of [`@${name}`, `t.me/${name}`, `https://telegram.dog/s/${name}/7?x`, name.toUpperCase()]) {
          expect(normaliseChannel(other)).toBe(key);
        }
      },
    ),
  );
});

test('every channel id is one channel in its bare, Bot API and link form', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 12n - 1n }), (id) => {
      expect(normaliseChannel(String(id))).toBe(String(id));
      expect(normaliseChannel(String(-(10n ** 12n) - id))).toBe(String(id));
      expect(normaliseChannel(`t.me/c/${id}/9`)).toBe(String(id));
      expect(normaliseChannel(String(-id))).toBe(String(-id));
    }),
  );
});
