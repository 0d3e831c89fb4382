import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { redactBody } from '../../src/doors/amqp/redact-body.js';

const redact = (body: string | Buffer, operation = 'account.allocate') =>
  redactBody(Buffer.from(body), operation).toString();

test('keeps a body without secrets byte for byte', () => {
  for (const body of ['{ "user_id":1 }', '[1, 2]', 'not JSON', '', '{"phone": null}']) expect(redact(body)).toBe(body);
  const large = Buffer.alloc(10 * 1024 * 1024, 0x20);
  expect(redactBody(large, 'account.allocate')).toBe(large);
});

test('hides sessions and phone numbers at any depth, and what looks like a session', () => {
  const session = '1'.repeat(353);
  const body = { accounts: [{ phone: '+4915112345678', session_data: session, user_id: 1 }], session, note: 'kept' };
  expect(JSON.parse(redact(JSON.stringify(body), 'admin.register'))).toEqual({
    accounts: [{ phone: '[redacted]', session_data: '[redacted]', user_id: 1 }],
    session: '[redacted]',
    note: 'kept',
  });
  expect(redact('{"phone": {"number": "+4915112345678"}}')).not.toContain('4915112345678');
});

test.each([
  ['admin.register', 'session 1BVtsOK'],
  ['admin.reauthorize', '{"x": "1BVtsOK"'],
  ['account.allocate', '{"session_data": "1BVtsOK"'],
  ['no.such', `{"phone": "1BVtsOK", "deep": ${'['.repeat(20)}${']'.repeat(20)}}`],
  ['no.such', Buffer.from('{"session_data": "1BVtsOK"}', 'utf16le').toString('latin1')],
  ['no.such', Buffer.from(`{"other": "${'1BVtsOK'.repeat(50)}"}`, 'utf16le').toString('latin1')],
  ['admin.register', JSON.stringify({ accounts: [{ session_data: '1BVtsOK'.repeat(50_000) }] })],
])('of an unreadable body that may hold secrets (%s) only size and hash stay', (operation, body) => {
  const sha256 = createHash('sha256').update(body).digest('hex');
  expect(JSON.parse(redact(body, operation))).toEqual({ unreadable_body: { bytes: body.length, sha256 } });
});
