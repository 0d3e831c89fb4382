import { expect, test } from '@jest/globals';
import { explainInWords, type FailingLimit, type Situation } from '../../src/decide/selection/explain-account.js';

const NOW = Date.parse('2026-03-02T13:00:30.000Z');
const at = (text: string): number => Date.parse(`2026-03-02T${text}Z`);

const FREE: Situation = {
  purpose: 'invite_campaign',
  status: 'active',
  disabledReason: null,
  recoversAt: null,
  leasedBy: null,
  leasedUntil: null,
  restriction: null,
  failing: null,
  grantable: true,
};
const limited = (rule: FailingLimit['rule'], more: Partial<FailingLimit> = {}): Partial<Situation> => ({
  grantable: false,
  failing: { rule, actionType: 'invite', used: 30, limit: 30, passesAt: Date.parse('2026-03-03T00:00:00Z'), ...more },
});
const told = (errorClass: string, telegramError: string | null) =>
  ({ errorClass, telegramError, reason: null }) as Situation['restriction'];
const decided = (reason: string) => ({ errorClass: null, telegramError: null, reason });

const TABLE: [situation: Partial<Situation>, sentence: string][] = [
  [{}, 'Free, and can be granted for invite_campaign now.'],
  [
    { grantable: false, leasedBy: 'invite-service', leasedUntil: at('14:05:00.000') },
    'Held by invite-service until 14:05 UTC.',
  ],
  [
    {
      grantable: false,
      status: 'flood_wait',
      recoversAt: at('14:04:59.001'),
      restriction: told('flood_wait', 'FLOOD_WAIT_X'),
    },
    'In a flood wait until 14:05 UTC because Telegram answered FLOOD_WAIT (flood_wait).',
  ],
  [
    {
      grantable: false,
      status: 'blocked',
      recoversAt: Date.parse('2026-03-03T13:00:00Z'),
      restriction: told('peer_flood', 'PEER_FLOOD'),
    },
    'Blocked until 2026-03-03 13:00 UTC because Telegram answered PEER_FLOOD (peer_flood).',
  ],
  [
    { grantable: false, status: 'draining', restriction: decided('moves to another proxy.') },
    'Draining, so it gets no new lease, as an operator decided: moves to another proxy.',
  ],
  [
    {
      grantable: false,
      status: 'draining',
      leasedBy: 'parser',
      leasedUntil: at('13:30:00.000'),
      restriction: decided('rest'),
    },
    'Draining, so it gets no new lease, as an operator decided: rest; it is held by parser until 13:30 UTC.',
  ],
  [
    {
      grantable: false,
      status: 'disabled',
      disabledReason: 'banned',
      restriction: told('banned', 'USER_DEACTIVATED_BAN'),
    },
    'Banned by Telegram because Telegram answered USER_DEACTIVATED_BAN (banned).',
  ],
  [
    {
      grantable: false,
      status: 'disabled',
      disabledReason: 'needs_reauth',
      restriction: told('auth', 'AUTH_KEY_UNREGISTERED'),
    },
    'Disabled until it gets a fresh session because Telegram answered AUTH_KEY_UNREGISTERED (auth).',
  ],
  [
    { grantable: false, status: 'disabled', disabledReason: 'manual', restriction: decided('under review') },
    'Disabled, as an operator decided: under review.',
  ],
  [{ grantable: false, status: 'disabled', disabledReason: 'frozen' }, 'Frozen by Telegram.'],
  [limited('daily'), 'The daily limit of invite is used up (30 of 30); there is room again at 2026-03-03 00:00 UTC.'],
  [
    limited('hourly', { used: 5, limit: 5, passesAt: at('13:20:00.000') }),
    'The hourly limit of invite is used up (5 of 5); there is room again at 13:20 UTC.',
  ],
  [
    limited('per_channel_daily', { used: 15, limit: 15 }),
    'The daily limit of invite in this channel is used up (15 of 15); there is room again at 2026-03-03 00:00 UTC.',
  ],
  [
    limited('per_channel_total', { used: 200, limit: 200, passesAt: null }),
    'The limit of invite in this channel, which counts for ever, is used up (200 of 200); waiting does not help.',
  ],
  [
    limited('cooldown', { used: null, limit: null, passesAt: at('13:02:00.000') }),
    'Rests after its last invite; there is room again at 13:02 UTC.',
  ],
  [
    limited('burst', { used: 3, limit: 3, passesAt: at('13:05:00.000') }),
    'Rests after a burst of invite (3 of 3); there is room again at 13:05 UTC.',
  ],
];

test.each(TABLE)('%j: %s', (situation, sentence) => {
  expect(explainInWords({ ...FREE, ...situation }, NOW)).toBe(sentence);
});

test('lasting obstacles are told before passing ones', () => {
  const waiting: Partial<Situation> = { status: 'flood_wait', recoversAt: at('13:10:00.000') };
  const held: Partial<Situation> = { leasedBy: 'parser', leasedUntil: at('13:30:00.000') };
  expect(explainInWords({ ...FREE, ...waiting, ...held, ...limited('daily') }, NOW)).toBe(
    'In a flood wait until 13:10 UTC; it is held by parser until 13:30 UTC.',
  );
});
