import { expect, test } from '@jest/globals';
import { type AllocationAnswer, explainAnswer } from '../../src/decide/selection/explain-answer.js';

const NOW = Date.parse('2026-03-02T13:00:00.000Z');
const purpose = 'invite_campaign';
const refused = (code: string, more: Record<string, unknown> = {}) =>
  ({ purpose, code, counts: {}, hopeAt: null, preferredReason: null, message: '', ...more }) as AllocationAnswer;
const hopeAt = Date.parse('2026-03-02T14:05:00.000Z');
const counts = { total: 12, leased: 10, limited: 0, flood_wait: 2 };

const TABLE: [answer: AllocationAnswer, sentence: string][] = [
  [
    { purpose, code: null, expiresAt: hopeAt, candidates: 7, preferred: false },
    'Granted until 14:05 UTC for invite_campaign: the best of 7 free accounts that were considered.',
  ],
  [
    { purpose, code: null, expiresAt: hopeAt, candidates: 1, preferred: false },
    'Granted until 14:05 UTC for invite_campaign: the best of 1 free account that was considered.',
  ],
  [
    { purpose, code: null, expiresAt: hopeAt, candidates: 1, preferred: true },
    'Granted until 14:05 UTC for invite_campaign: the account that was asked for.',
  ],
  [refused('NO_ACCOUNTS'), 'Refused, since the user had no account at all.'],
  [
    refused('ALL_BUSY', { counts, hopeAt }),
    'Refused, since every account that suits was leased (of 12 accounts: 10 leased, 2 flood wait); one was expected from 14:05 UTC on.',
  ],
  [
    refused('ALL_LIMITED', { counts: { total: 1, limited: 1 } }),
    'Refused, since no free account had room for invite_campaign (of 1 account: 1 limited).',
  ],
  [
    refused('ALL_RESTRICTED', { counts: { total: 2, disabled: 2 } }),
    'Refused, since every account was in a wait, blocked, draining or disabled (of 2 accounts: 2 disabled).',
  ],
  [
    refused('PREFERRED_UNAVAILABLE', { preferredReason: 'leased' }),
    'Refused, since the account that was asked for could not be had (leased).',
  ],
  [refused('DEADLINE_EXCEEDED', { message: 'too late' }), 'Refused with DEADLINE_EXCEEDED: too late.'],
];

test.each(TABLE)('%j', (answer, sentence) => {
  expect(explainAnswer(answer, NOW)).toBe(sentence);
});
