import { expect, test } from '@jest/globals';
import { judgeProbe, needsConfirmation, type ProbeOutcome } from '../../src/decide/condition/judge-probe.js';

const unknown: ProbeOutcome = { kind: 'key_unknown' };
const silent: ProbeOutcome = { kind: 'unreachable', detail: 'x' };
const error = (errorMessage: string): ProbeOutcome => ({ kind: 'error', report: { errorMessage } });

test('only a key that the server does not know is asked about again', () => {
  expect(needsConfirmation(unknown)).toBe(true);
  const others: ProbeOutcome[] = [{ kind: 'healthy' }, { kind: 'frozen' }, error('401: AUTH_KEY_UNREGISTERED'), silent];
  for (const outcome of others) expect(needsConfirmation(outcome)).toBe(false);
});

test('one -404 disables nobody, a second one does', () => {
  expect(judgeProbe(unknown, null)).toEqual({ result: 'unconfirmed', report: null });
  expect(judgeProbe(unknown, unknown)).toEqual({ result: 'needs_reauth', report: { errorCode: -404 } });
  expect(judgeProbe(unknown, { kind: 'healthy' })).toEqual({ result: 'healthy', report: null });
  expect(judgeProbe(unknown, silent)).toEqual({ result: 'unreachable', report: null });
  expect(judgeProbe(unknown, error('401: USER_DEACTIVATED_BAN'))).toMatchObject({ result: 'banned' });
});

test('that Telegram was not reached says nothing against the account', () => {
  expect(judgeProbe(silent, null)).toEqual({ result: 'unreachable', report: null });
  expect(judgeProbe({ kind: 'unusable', detail: 'x' }, null)).toEqual({ result: 'unusable', report: null });
});

test('an error is named by what it does to the account, or by its class', () => {
  expect(judgeProbe({ kind: 'frozen' }, null).result).toBe('frozen');
  expect(judgeProbe(error('401: SESSION_REVOKED'), null).result).toBe('needs_reauth');
  expect(judgeProbe(error('420: FLOOD_WAIT_5'), null).result).toBe('flood_wait');
});

test('an unknown error, or a fault of this service, is not charged to the account', () => {
  for (const message of ['SOMETHING_NEW', '400: API_ID_INVALID', '400: CONNECTION_API_ID_INVALID']) {
    expect(judgeProbe(error(message), null)).toEqual({ result: 'other', report: null });
  }
});
