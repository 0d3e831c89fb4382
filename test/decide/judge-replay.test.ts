import { expect, test } from '@jest/globals';
import { judgeReplay, type ParkedFacts } from '../../src/decide/messages/judge-replay.js';

const HOUR_MS = 3_600_000;
const NOW = 1_000 * HOUR_MS;
const usual: ParkedFacts = {
  operation: 'account.release',
  code: 'INTERNAL',
  isOwn: true,
  isRedacted: false,
  parkedAt: NOW - HOUR_MS,
};

test.each<[string, Partial<ParkedFacts>, { force: boolean }, RegExp | null]>([
  ['a request that failed', {}, { force: false }, null],
  ['an invalid one, which the contract may take by now', { code: 'VALIDATION_FAILED' }, { force: false }, null],
  ['one of unknown code', { code: null }, { force: false }, null],
  ['not its own', { isOwn: false }, { force: true }, /vouches/],
  ['without its secrets', { isRedacted: true }, { force: true }, /secrets/],
  ['malformed', { code: 'MALFORMED_MESSAGE' }, { force: true }, /form/],
  ['of no operation', { code: 'UNKNOWN_OPERATION' }, { force: true }, /form/],
  ['about parked messages', { operation: 'admin.parked' }, { force: true }, /asked anew/],
  ['a lease', { operation: 'account.allocate' }, { force: true }, /nobody waits for/],
  ['a longer lease', { operation: 'account.renew' }, { force: true }, /nobody waits for/],
  ['a permit', { operation: 'action.acquire' }, { force: true }, /nobody waits for/],
  ['just not too old', { parkedAt: NOW - 12 * HOUR_MS }, { force: false }, null],
  ['too old', { parkedAt: NOW - 12 * HOUR_MS - 1 }, { force: false }, /12 hours/],
  ['of unknown age', { parkedAt: null }, { force: false }, /12 hours/],
  ['too old, but wanted', { parkedAt: 0 }, { force: true }, null],
])('%s', (_which, facts, { force }, obstacle) => {
  const judged = judgeReplay({ ...usual, ...facts }, { now: NOW, force });
  if (obstacle === null) expect(judged).toBeNull();
  else expect(judged).toMatch(obstacle);
});
