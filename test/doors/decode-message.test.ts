import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ENVELOPE } from '../../contracts/envelope.js';
import { decodeBody, findExcess, findIssues } from '../../src/doors/decode-message.js';

const bytes = (text: string) => Buffer.from(text);
const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;

const malformed: [string, Buffer, RegExp][] = [
  ['empty', bytes(''), /^body: must be a JSON object, but is empty$/],
  ['not JSON', bytes('{user_id: 1}'), /^body: must be JSON$/],
  ['cut off', bytes('{"user_id": 1'), /^body: must be JSON$/],
  ['an array', bytes('[{"user_id": 1}]'), /^body: must be a JSON object, but is an array$/],
  ['null', bytes('null'), /but is null$/],
  ['a text', bytes('"text"'), /but is a string$/],
  ['a number', bytes('1'), /but is a number$/],
  ['10 MB', Buffer.alloc(10 * 1024 * 1024, 0x20), /^body: must be at most 262144 bytes, but has 10485760$/],
  [
    'one byte too large',
    Buffer.from(`{"a":"${'x'.repeat(ENVELOPE.maxBodyBytes - 7)}"}`),
    /must be at most 262144 bytes/,
  ],
  ['17 levels', bytes(nested(17)), /^body: must be at most 16 levels deep$/],
  ['5,000 levels', bytes('['.repeat(5_000)), /at most 16 levels deep/],
  ['120,000 values', bytes(`{"a": [${'0,'.repeat(119_999)}0]}`), /^body: must have at most 40000 values$/],
  ['120,000 arrays', bytes(`{"a": [${'[]'.repeat(119_999)}]}`), /^body: must have at most 40000 values$/],
  ['bad UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]), /^body: must be UTF-8$/],
  ['a surrogate in UTF-8', Buffer.from('7b2261223a22eda080227d', 'hex'), /^body: must be UTF-8$/],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), /^body: must be JSON$/],
];

test.each(malformed)('refuses a body that is %s', (_, body, message) => {
  const decoded = decodeBody(body);
  expect(decoded.ok).toBe(false);
  if (decoded.ok) return;
  expect(decoded.refusal.error).toMatchObject({ code: 'MALFORMED_MESSAGE', retryable: false });
  expect(decoded.refusal.error.message).toMatch(message);
});

const invalid: [string, string, { path: string; message: RegExp }][] = [
  ['NUL', '{"phone": "+1\\u0000"}', { path: 'phone', message: /NUL/ }],
  ['NUL in a key', '{"a": {"b\\u0000": 1}}', { path: 'a.b\\u0000', message: /as a key .*NUL/ }],
  ['half a surrogate pair', '{"a": ["ok", "\\ud800"]}', { path: 'a.1', message: /surrogate/ }],
  ['__proto__', '{"a": {"__proto__": {"admin": true}}}', { path: 'a.__proto__', message: /must not be used/ }],
  ['1e999', '{"user_id": 1e999}', { path: 'user_id', message: /finite/ }],
  ['-1e999', '{"a": [{"b": -1e999}]}', { path: 'a.0.b', message: /finite/ }],
];

test.each(invalid)('refuses %s anywhere, with its path', (_, body, { path, message }) => {
  const decoded = decodeBody(bytes(body));
  expect(decoded.ok).toBe(false);
  if (decoded.ok) return;
  expect(decoded.refusal.error.code).toBe('VALIDATION_FAILED');
  expect(decoded.refusal.error.message.startsWith(`${path}: `)).toBe(true);
  expect(decoded.refusal.error.details?.issues).toEqual([{ path, message: expect.stringMatching(message) }]);
});

test.each([
  ['account.error', '{"error_message": "x \\ud83d", "error_type": "\\u0000", "context": {"\\udc00": ["\\u0000"]}}'],
  ['account.error', '{"error_code": "\\ude00"}'],
  [
    'account.release',
    '{"usage_stats": {"error_message": "\\ud83d", "error_type": "\\ud83d", "note \\u0000": "\\ud83d"}}',
  ],
])('passes over text in fields of %s that are not kept: %s', (operation, body) => {
  expect(decodeBody(bytes(body), operation)).toEqual({ ok: true, body: JSON.parse(body) });
  expect(decodeBody(bytes(body), 'account.renew').ok).toBe(false);
});

test.each([
  ['account.error', '{"service_name": "a\\u0000", "error_message": "\\u0000"}', 'service_name'],
  ['account.error', '{"context": {"__proto__": 1}}', 'context.__proto__'],
  ['account.release', '{"account_id": "\\ud83d", "usage_stats": {}}', 'account_id'],
])('but nothing else in %s: %s', (operation, body, path) => {
  const decoded = decodeBody(bytes(body), operation);
  if (decoded.ok) throw new Error('was taken');
  expect(decoded.refusal.error.details?.issues).toMatchObject([{ path }]);
});

test('tells several faults at once, but no more than are worth reading', () => {
  expect(findIssues({ a: 'x\0', b: { c: Number.POSITIVE_INFINITY } }).map(({ path }) => path)).toEqual(['a', 'b.c']);
  expect(findIssues(Array.from({ length: 1_000 }, () => '\0'))).toHaveLength(20);
});

test('takes 16 levels, 256 KiB, a byte order mark and surrogate pairs', () => {
  expect(decodeBody(bytes(nested(16))).ok).toBe(true);
  expect(decodeBody(bytes(`{"a":"${'x'.repeat(ENVELOPE.maxBodyBytes - 8)}"}`)).ok).toBe(true);
  expect(decodeBody(bytes('\ufeff{"a": "😀"}'))).toEqual({ ok: true, body: { a: '😀' } });
});

test('never quotes the body', () => {
  const secret = 'SECRET'.repeat(20);
  for (const body of [`{"a": ${secret}`, secret, `{"session_data": "${secret}\\u0000"}`, `["${secret}"]`]) {
    expect(JSON.stringify(decodeBody(bytes(body)))).not.toContain('SECRET');
  }
});

test('whatever the bytes, it answers; whatever JSON object without forbidden values, it reads as JSON.parse does', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => typeof decodeBody(body).ok === 'boolean'));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (object) => {
      const text = JSON.stringify(object);
      const decoded = decodeBody(bytes(text));
      if (decoded.ok) expect(decoded.body).toEqual(JSON.parse(text));
      else expect(JSON.stringify(object)).toMatch(/\\u0000|\\ud[89a-f]|__proto__/);
    }),
  );
});

test('an object of more fields than any request has is refused before it is parsed, a long array is not', () => {
  const many = (count: number, value: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => value(n)).join();
  const fields = (count: number) => bytes(`{"a": {${many(count, (n) => `"k${n}": [0, {}]`)}}}`);
  expect(decodeBody(fields(2_000)).ok).toBe(true);
  expect(decodeBody(fields(2_001))).toMatchObject({
    ok: false,
    refusal: { error: { code: 'MALFORMED_MESSAGE', message: 'body: must have at most 2000 fields in one object' } },
  });
  expect(decodeBody(bytes(`{"a": [${many(3_000, () => '{"b": 1}')}]}`)).ok).toBe(true);
});

const ENOUGH = { maxBodyValues: 1_000_000, maxObjectFields: 1_000_000 };

test('depth is counted as the parser would, text and escapes aside', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 6 }), (value, max) => {
      const excess = findExcess(bytes(JSON.stringify(value)), { ...ENOUGH, maxBodyDepth: max });
      expect(excess !== null).toBe(depthOf(value) > max);
    }),
  );
  const text = bytes('{"a": "[[[[,,, \\" [[[ \\\\"}');
  expect(findExcess(text, { maxBodyDepth: 1, maxBodyValues: 1, maxObjectFields: 1 })).toBeNull();
});
