import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { hideSecrets } from '../../src/telemetry/redact.js';
import { telethonSession } from '../support/session-strings.js';

const session = telethonSession();

test.each([
  ['a session', session],
  ['a session in standard base64', randomBytes(263).toString('base64')],
  ['a piece of a session', session.slice(40, 125)],
  ['a key in hexadecimal', randomBytes(256).toString('hex')],
  ["a bot's token", `7104567890:AA${randomBytes(24).toString('base64url')}`],
  ['a phone number', '+4915199887766'],
  ['a phone number in groups', '+49 (151) 998-877-66'],
])('hides %s, wherever it stands', (_, secret) => {
  expect(hideSecrets(secret)).toBe('[redacted]');
  expect(hideSecrets(`text "${secret}" text`)).toBe('text "[redacted]" text');
});

test.each([
  '2026-11-22T22:05:09.658+02:00',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'a'.repeat(64),
  '3f1c2a9e-5b7d-4e8f-9a01-2b3c4d5e6f70',
  'https://t.me/+AbCdEf123456',
  'account-manager.dead-letters: 12:30',
  `at handle (/opt/account-manager/node_modules/${'directory/'.repeat(10)}client.js:1:2)`,
])('keeps %s', (text) => {
  expect(hideSecrets(text)).toBe(text);
});
