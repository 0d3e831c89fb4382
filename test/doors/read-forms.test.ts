import { describe, expect, test } from '@jest/globals';
import { isJsonType, PLAIN_ENCODING } from '../../contracts/envelope.js';
import { readDeadline } from '../../src/doors/read-deadline.js';
import { readMessageId } from '../../src/doors/read-message-id.js';

/** Forms that other clients' libraries write. */
describe('content_type', () => {
  test.each([
    'application/json',
    'application/json;',
    'application/json ; ',
    'application/json;;',
    'Application/JSON; Charset=UTF-8',
    'application/json; charset="utf-8"; ',
    'application/json; charset=us-ascii',
    'application/json;charset=utf8;version=1',
    'application/json; profile="a;b\\"c"',
  ])('"%s" is taken', (given) => {
    expect(isJsonType(given)).toBe(true);
  });

  test.each([
    '',
    'json',
    'text/json',
    'application/json-seq',
    'application/json; charset=latin1',
    'application/json; charset="utf-16"',
    'application/json; charset=utf-8; charset=latin1',
    'application/json; charset=',
    'application/json; charset',
    'application/json charset=utf-8',
    'application/json, text/plain',
    'application/json; a="unclosed',
    `application/json${';'.repeat(16_000)}x`,
    `application/json;${'a'.repeat(16_000)}`,
  ])('"%.60s" is refused', (given) => {
    expect(isJsonType(given)).toBe(false);
  });
});

test.each([
  '',
  'utf-8',
  'UTF8',
  'binary',
  'Binary',
  'us-ascii',
  'US-ASCII',
  'identity',
  ' utf-8 ',
  '8bit',
])('content_encoding "%s" leaves the bytes as they are', (given) => {
  expect(PLAIN_ENCODING.test(given)).toBe(true);
});
test.each([
  'gzip',
  'deflate',
  'br',
  'base64',
  'utf-16',
  'latin1',
  'utf-8, gzip',
  'application/x-gzip',
])('content_encoding "%s" is refused', (given) => {
  expect(PLAIN_ENCODING.test(given)).toBe(false);
});

const UUID = '0f8fad5b-d9cb-469f-a165-70867728950e';
test.each([
  UUID,
  UUID.toUpperCase(),
  UUID.replaceAll('-', ''),
  `{${UUID}}`,
  `urn:uuid:${UUID}`,
  `"${UUID}"`,
  ` ${UUID} `,
])('message_id %s is a UUID', (given) => {
  expect(readMessageId(given)).toBe(UUID);
});
test.each([
  '',
  'x',
  UUID.slice(1),
  `${UUID}0`,
  `${UUID} ${UUID}`,
  UUID.replace('0', 'g'),
])('message_id "%s" is none', (given) => {
  expect(readMessageId(given)).toBeNull();
});

const INSTANT = Date.UTC(2026, 0, 2, 3, 4, 5);
test.each<[unknown, number | null]>([
  [undefined, null],
  [null, null],
  ['2026-01-02T03:04:05Z', INSTANT],
  ['2026-01-02T03:04:05.000Z', INSTANT],
  ['2026-01-02T03:04:05.123456+00:00', INSTANT + 123],
  ['2026-01-02 03:04:05+00:00', INSTANT],
  ['2026-01-02 03:04:05 +0000', INSTANT],
  ['2026-01-02t03:04:05z', INSTANT],
  ['2026-01-02T05:34:05+0230', INSTANT],
  ['2026-01-02T04:04:05,5+01', INSTANT + 500],
  [' 2026-01-02T03:04:05Z ', INSTANT],
  [Buffer.from('2026-01-02T03:04:05Z'), INSTANT],
  [{ '!': 'timestamp', value: INSTANT / 1_000 }, INSTANT],
])('x-deadline %j is %j', (given, instant) => {
  expect(readDeadline(given)).toBe(instant);
});
test.each([
  '',
  'tomorrow',
  '2026-01-02',
  '2026-01-02T03:04:05',
  '2026-02-30T03:04:05Z',
  '2026-01-02T25:04:05Z',
  '20260102T030405Z',
  '1767323045',
  1_767_323_045,
  true,
  {},
  [],
  { '!': 'timestamp', value: Number.NaN },
])('x-deadline %j is refused', (given) => {
  expect(readDeadline(given)).toBeUndefined();
});
