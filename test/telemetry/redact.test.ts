import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { hideSecrets } from '../../src/telemetry/redact.js';
import { telethonSession } from '../support/session-strings.js';

const session = telethonSession();
const key = randomBytes(256);

test.each([
  ['a session', session],
  ['a session in standard base64', randomBytes(263).toString('base64')],
  ['a piece of a session', session.slice(40, 125)],
  ['a key in hexadecimal', randomBytes(256).toString('hex')],
  ["a bot's token", `7104567890:AA${randomBytes(24).toString('base64url')}`],
  ['a phone number', '+4915199887766'],
  ['a phone number in groups', '+49 (151) 998-877-66'],
  ['a phone number in a URL', '%2B4915199887766'],
  ['a phone number with a wide plus and hard spaces', '\uff0b49\u00a0151\u00a099887766'],
  ['a session folded by mail', session.replaceAll(/.{76}/g, '$&\r\n')],
  ['the beginning of a folded session', session.slice(0, 200).replaceAll(/.{76}/g, '$&\n')],
  ['a session in a URL', encodeURIComponent(Buffer.alloc(263, 'ÿ').toString('base64').slice(0, -1))],
  ['a session in pieces', session.replaceAll(/.{30}/g, '$& ')],
  ['a session folded in a text within a text', session.replaceAll(/.{64}/g, '$&\\n')],
  ['a key in a dump', key.toString('hex').replaceAll(/..(?!$)/g, '$&:')],
  ['a key as words of hexadecimal', key.toString('hex').replaceAll(/.{8}(?!$)/g, '$& ')],
  ['a key as Python prints it', key.toString('hex').replaceAll(/../g, '\\x$&')],
])('hides %s, wherever it stands', (_, secret) => {
  expect(hideSecrets(secret)).toBe('[redacted]');
  expect(hideSecrets(`text "${secret}" text`)).toBe('text "[redacted]" text');
});

test.each([
  ['phone=4915199887766', 'phone=[redacted]'],
  ['The phone number 49 151 99887766 is banned', 'The phone number [redacted] is banned'],
  ['{"phone_number": "4915199887766"}', '{"phone_number": "[redacted]"}'],
  ['host=db password=hunter2 user=u', 'host=db password=[redacted] user=u'],
  [String.raw`{\"auth_token\": \"hunter2\"}`, String.raw`{\"auth_token\": \"[redacted]\"}`],
  ["api_hash = '0123456789abcdef'", "api_hash = '[redacted]'"],
  ['GET /?access_token=hunter2&x=1', 'GET /?access_token=[redacted]&x=1'],
  ['Authorization: Bearer abc.DEF-123', 'Authorization: Bearer [redacted]'],
  [
    'https://api.telegram.org/bot7104567890:AAHabcdefghijklmnopqrstuvwxyz012345/getMe',
    'https://api.telegram.org/bot[redacted]/getMe',
  ],
  ['proxy user:hunter2@proxy.internal:1080', 'proxy [redacted]@proxy.internal:1080'],
  ['amqp://us%65r:p%40ss@host/x', 'amqp://[redacted]@host/x'],
])('%s hides what it names', (text, hidden) => {
  expect(hideSecrets(text)).toBe(hidden);
});

test.each([
  '2026-11-22T22:05:09.658+02:00',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'a'.repeat(64),
  '3f1c2a9e-5b7d-4e8f-9a01-2b3c4d5e6f70',
  'https://t.me/+AbCdEf123456',
  'session_data: must be a session string; authorization: must be Bearer and a token of a listed caller',
  'reset-daily-limits cleanup-rate-limits process-recoveries health-scan cleanup-locks',
  'PHONE_NUMBER_BANNED (400), then FLOOD_WAIT_3600',
  '{"token": 12345678, "user_id": 1234567890, "@channel": "https://t.me/@name", "host": "db:5432"}',
  'account-manager.dead-letters: 12:30',
  `at handle (/opt/account-manager/node_modules/${'directory/'.repeat(10)}client.js:1:2)`,
])('keeps %s', (text) => {
  expect(hideSecrets(text)).toBe(text);
});
