import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { redactBody } from '../../src/doors/amqp/redact-body.js';

const redact = async (body: string | Buffer, operation = 'account.allocate') =>
  (await redactBody(Buffer.from(body), operation)).toString();
const noteOf = (body: string | Buffer) => ({
  unreadable_body: { bytes: Buffer.byteLength(body), sha256: createHash('sha256').update(body).digest('hex') },
});

test('keeps a body without secrets byte for byte', async () => {
  const large = JSON.stringify({
    accounts: Array.from({ length: 5_000 }, (_, index) => ({ index, note: 'kept, "so"' })),
  });
  for (const body of ['{ "user_id":1 }', '[1, 2]', 'not JSON', '', '{"phone": null}', large])
    expect(await redact(body)).toBe(body);
});

test.each([
  ['over 256 KiB', ' '.repeat(256 * 1024) + '{}'],
  ['of 10 MB', Buffer.alloc(10 * 1024 * 1024, 0x20)],
  ['without form and long', 'not JSON '.repeat(4_000)],
  ['of too many values', `{"a": [${'0,'.repeat(60_000)}0]}`],
])('of a body %s only size and hash stay', async (_, body) => {
  expect(JSON.parse(await redact(body))).toEqual(noteOf(body));
});

test('a long text, be it a value or a key, becomes a note of its length and hash, and the rest stays', async () => {
  const long = `"${'/'.repeat(33_000)}\\`;
  const found = JSON.parse(await redact(JSON.stringify({ a: 1, [long]: 2, b: [long, 'short'] }))) as object;
  const written = JSON.stringify(long).slice(1, -1);
  const note = `[text of ${written.length} characters, SHA-256 ${createHash('sha256').update(written).digest('hex')}]`;
  expect(found).toEqual({ a: 1, [note]: 2, b: [note, 'short'] });
});

test('hides what stands anywhere in a large body', async () => {
  const row = (index: number) => ({
    index,
    text: `call +49 151 9988${String(index).padStart(4, '0')} or 'token': "hunter2${index}"`,
  });
  const hidden = await redact(JSON.stringify({ rows: Array.from({ length: 3_000 }, (_, index) => row(index)) }));
  expect(hidden).not.toMatch(/9988|hunter2/);
  expect((JSON.parse(hidden) as { rows: unknown[] }).rows).toHaveLength(3_000);
});

test('hides sessions and phone numbers at any depth, and what looks like a session', async () => {
  const session = '1'.repeat(353);
  const body = { accounts: [{ phone: '+4915112345678', session_data: session, user_id: 1 }], session, note: 'kept' };
  expect(JSON.parse(await redact(JSON.stringify(body), 'admin.register'))).toEqual({
    accounts: [{ phone: '[redacted]', session_data: '[redacted]', user_id: 1 }],
    session: '[redacted]',
    note: 'kept',
  });
  expect(await redact('{"phone": {"number": "+4915112345678"}}')).not.toContain('4915112345678');
});

test.each([
  ['admin.register', 'session 1BVtsOK'],
  ['admin.reauthorize', '{"x": "1BVtsOK"'],
  ['account.allocate', '{"session_data": "1BVtsOK"'],
  ['no.such', `{"phone": "1BVtsOK", "deep": ${'['.repeat(20)}${']'.repeat(20)}}`],
  ['no.such', Buffer.from('{"session_data": "1BVtsOK"}', 'utf16le').toString('latin1')],
  ['no.such', Buffer.from(`{"other": "${'1BVtsOK'.repeat(50)}"}`, 'utf16le').toString('latin1')],
  ['admin.register', JSON.stringify({ accounts: [{ session_data: '1BVtsOK'.repeat(50_000) }] })],
])('of an unreadable body that may hold secrets (%s) only size and hash stay', async (operation, body) => {
  expect(JSON.parse(await redact(body, operation))).toEqual(noteOf(body));
});
