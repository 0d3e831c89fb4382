import { expect, test } from '@jest/globals';
import { type DisabledReason, DISABLED_REASONS } from '../../contracts/fields.js';
import { type AccountCondition, NEW_CONDITION } from '../../src/decide/condition/account-condition.js';
import { classifyError } from '../../src/decide/telegram-errors/classify-error.js';
import type { ErrorEffect } from '../../src/decide/telegram-errors/types.js';
import {
  applyError,
  applyOperatorStatus,
  reauthorise,
  recoverNow,
  rescheduleRecovery,
  settleCondition,
} from '../../src/decide/condition/transition-account.js';
import { MAX_ERROR_COUNT } from '../../src/decide/condition/errors.js';

const now = Date.parse('2026-03-01T12:00:00.000Z');
const SECOND = 1000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

const condition = (changes: Partial<AccountCondition>): AccountCondition => ({ ...NEW_CONDITION, ...changes });
const waiting = condition({ status: 'flood_wait', floodWaitUntil: now + HOUR });
const blocked = condition({ status: 'blocked', blockedUntil: now + DAY, blockLevel: 1 });
const disabled = (reason: DisabledReason, changes: Partial<AccountCondition> = {}) =>
  condition({ status: 'disabled', disabledReason: reason, ...changes });

const apply = (before: AccountCondition, effect: ErrorEffect, at = now) =>
  applyError(before, { errorClass: 'other', effect }, at);
const wait = (waitSeconds: number): ErrorEffect => ({ kind: 'wait', waitSeconds });

test('a flood wait lasts as long as Telegram asks, and 60 s more', () => {
  expect(apply(NEW_CONDITION, wait(300))).toEqual({
    condition: condition({ status: 'flood_wait', floodWaitUntil: now + 360 * SECOND }),
    action: 'wait_started',
    recoveryAt: now + 360 * SECOND,
    shouldRetry: true,
  });
});

test('of a block and a wait beside it the longer holds', () => {
  const both = (waitSeconds: number): ErrorEffect => ({ kind: 'block', waitSeconds });
  expect(apply(NEW_CONDITION, both(600)).condition).toEqual(apply(NEW_CONDITION, { kind: 'block' }).condition);
  const longer = apply(NEW_CONDITION, both(172_800));
  expect(longer).toMatchObject({ action: 'blocked', recoveryAt: now + 2 * DAY + 60 * SECOND });
  expect(longer.condition).toMatchObject({ status: 'blocked', blockedUntil: now + DAY });
  // The account waits on when the block is over.
  expect(settleCondition(longer.condition, now + DAY).condition.status).toBe('flood_wait');
  // A late report of one that is blocked already.
  expect(apply(blocked, both(172_800))).toMatchObject({
    action: 'wait_started',
    recoveryAt: now + 2 * DAY + 60 * SECOND,
  });
  // A restriction that is over is none, and brings no wait of its own.
  expect(apply(NEW_CONDITION, { kind: 'block', until: now - DAY })).toMatchObject({ action: 'none', recoveryAt: null });
});

test('a wait is lengthened, never shortened', () => {
  expect(apply(waiting, wait(2 * 3600))).toMatchObject({
    action: 'wait_started',
    recoveryAt: now + 2 * HOUR + 60 * SECOND,
  });
  const shorter = apply(waiting, wait(5));
  expect(shorter).toMatchObject({ action: 'none', recoveryAt: now + HOUR, shouldRetry: true });
  expect(shorter.condition).toBe(waiting);
  const same = apply(waiting, wait(3600 - 60));
  expect(same).toMatchObject({ action: 'none', condition: waiting });
});

test('a wait ends at its instant, not before; errors are forgotten then', () => {
  const before = { ...waiting, errorCount: 4 };
  expect(settleCondition(before, now + HOUR - 1)).toEqual({ condition: before, recovered: false });
  expect(settleCondition(before, now + HOUR - 1).condition).toBe(before);
  expect(settleCondition(before, now + HOUR)).toEqual({ condition: NEW_CONDITION, recovered: true });
});

test('blocks escalate on repeats within 7 days of recovery, and begin anew after', () => {
  let account = NEW_CONDITION;
  let at = now;
  for (const [pauseDays, hours] of [
    [0, 24],
    [7, 72],
    [0, 168],
    [7, 168],
    [3, 168],
  ] as const) {
    at += pauseDays * DAY;
    const applied = apply(account, { kind: 'block' }, at);
    expect(applied).toMatchObject({
      action: 'blocked',
      recoveryAt: at + hours * HOUR,
      shouldRetry: true,
      condition: { status: 'blocked', blockedUntil: at + hours * HOUR },
    });
    at += hours * HOUR;
    account = settleCondition(applied.condition, at).condition;
    expect(account).toMatchObject({ status: 'active', lastBlockEndedAt: at });
  }
  expect(apply(account, { kind: 'block' }, at + 7 * DAY + 1)).toMatchObject({ recoveryAt: at + 8 * DAY + 1 });
});

test('a recovery that is noticed late counts from the instant the block ended', () => {
  const noticedAt = now + DAY + 3 * DAY;
  expect(settleCondition(blocked, noticedAt).condition.lastBlockEndedAt).toBe(now + DAY);
  expect(apply(blocked, { kind: 'block' }, now + DAY + 7 * DAY + 1).condition.blockLevel).toBe(1);
  expect(apply(blocked, { kind: 'block' }, now + DAY + 7 * DAY).condition.blockLevel).toBe(2);
});

test('a second report while the account is blocked neither escalates nor moves the end', () => {
  const again = apply(blocked, { kind: 'block' }, now + 5 * HOUR);
  expect(again).toMatchObject({ action: 'none', recoveryAt: now + DAY });
  expect(again.condition).toBe(blocked);
});

test('a flood wait under a block outlasts it', () => {
  const both = apply(blocked, wait(30 * 3600)).condition;
  expect(both).toMatchObject({ status: 'blocked', floodWaitUntil: now + 30 * HOUR + 60 * SECOND });
  const later = settleCondition(both, now + DAY);
  expect(later).toMatchObject({ recovered: false, condition: { status: 'flood_wait', blockedUntil: null } });
  expect(settleCondition(both, now + 31 * HOUR)).toMatchObject({ recovered: true, condition: { status: 'active' } });
});

test('errors are counted, up to a bound', () => {
  expect(apply(NEW_CONDITION, { kind: 'count_error' })).toMatchObject({
    action: 'error_counted',
    recoveryAt: null,
    condition: { status: 'active', errorCount: 1 },
  });
  const full = condition({ errorCount: MAX_ERROR_COUNT });
  expect(apply(full, { kind: 'count_error' }).condition.errorCount).toBe(MAX_ERROR_COUNT);
});

test('a draining account that is told to wait drains on, and waits underneath', () => {
  const draining = apply(condition({ status: 'draining' }), wait(300));
  expect(draining).toMatchObject({ action: 'wait_started', recoveryAt: now + 360 * SECOND });
  expect(draining.condition.status).toBe('draining');
  expect(settleCondition(draining.condition, now + HOUR)).toEqual({
    condition: condition({ status: 'draining' }),
    recovered: false,
  });
});

test('an error that disables says why, and there is no recovery to wait for', () => {
  for (const reason of ['banned', 'deactivated', 'frozen', 'needs_reauth'] as const) {
    expect(apply(waiting, { kind: 'disable', reason })).toEqual({
      condition: { ...waiting, status: 'disabled', disabledReason: reason },
      action: 'disabled',
      recoveryAt: null,
      shouldRetry: false,
    });
  }
});

/** Row: the reason it has; its entries: those that replace it. */
const REPLACED_BY: Record<DisabledReason, DisabledReason[]> = {
  needs_reauth: ['banned', 'deactivated', 'frozen', 'manual'],
  frozen: ['banned', 'deactivated', 'manual'],
  manual: ['banned', 'deactivated'],
  deactivated: [],
  banned: [],
};

test.each(DISABLED_REASONS)('disabled for %s: only a more final reason replaces it', (present) => {
  for (const reported of DISABLED_REASONS) {
    const before = disabled(present);
    const expected = REPLACED_BY[present].includes(reported) ? reported : present;
    if (reported !== 'manual') {
      expect(apply(before, { kind: 'disable', reason: reported })).toMatchObject({
        condition: { status: 'disabled', disabledReason: expected },
        action: expected === present ? 'none' : 'disabled',
      });
    } else {
      const after = applyOperatorStatus(before, 'disabled', { force: false }, now);
      expect(after).toEqual(disabled(expected));
    }
  }
});

test('waits reported of a disabled account go on underneath, and it stays disabled', () => {
  const after = apply(disabled('needs_reauth'), wait(300));
  expect(after).toMatchObject({ action: 'wait_started', recoveryAt: null, shouldRetry: false });
  expect(after.condition).toEqual(disabled('needs_reauth', { floodWaitUntil: now + 360 * SECOND }));
  expect(reauthorise(after.condition, now)).toMatchObject({ status: 'flood_wait', disabledReason: null });
  expect(reauthorise(after.condition, now + HOUR)).toEqual(NEW_CONDITION);
});

test.each([
  ['USER_PRIVACY_RESTRICTED', 'none', false],
  ['INPUT_USER_DEACTIVATED', 'none', false],
  ['CHAT_ADMIN_REQUIRED', 'none', false],
  ['PEER_ID_INVALID', 'none', false],
  ['SLOWMODE_WAIT_30', 'none', true],
  ['PHONE_MIGRATE_2', 'none', true],
  ['RPC_CALL_FAIL', 'error_counted', true],
  ['FLOOD_WAIT_30', 'wait_started', true],
  ['PEER_FLOOD', 'blocked', true],
  ['USER_DEACTIVATED_BAN', 'disabled', false],
  ['AUTH_KEY_UNREGISTERED', 'disabled', false],
])('%s as it is classified: %s', (errorMessage, action, shouldRetry) => {
  const applied = applyError(NEW_CONDITION, classifyError({ errorMessage }), now);
  expect(applied).toMatchObject({ action, shouldRetry });
  if (action === 'none') expect(applied.condition).toBe(NEW_CONDITION);
});

test('an operator makes active: what drains or is disabled; a wait only if forced', () => {
  const active = (before: AccountCondition, force: boolean) => applyOperatorStatus(before, 'active', { force }, now);
  expect(active(condition({ status: 'draining', errorCount: 3 }), false)).toEqual(NEW_CONDITION);
  expect(active(disabled('banned', { errorCount: 9 }), false)).toEqual(NEW_CONDITION);
  expect(active(waiting, false)).toBe(waiting);
  expect(active(waiting, true)).toEqual(NEW_CONDITION);
  expect(active(disabled('manual', { blockedUntil: now + DAY, blockLevel: 1 }), false)).toEqual(blocked);
  expect(active(blocked, true)).toEqual(condition({ blockLevel: 1, lastBlockEndedAt: now }));
  expect(active(condition({ status: 'draining', floodWaitUntil: now + HOUR }), false)).toEqual(waiting);
});

test('an operator disables and drains; a disabled account is not drained', () => {
  expect(applyOperatorStatus(waiting, 'disabled', { force: false }, now)).toEqual({
    ...waiting,
    status: 'disabled',
    disabledReason: 'manual',
  });
  expect(applyOperatorStatus(waiting, 'draining', { force: false }, now)).toEqual({ ...waiting, status: 'draining' });
  const banned = disabled('banned');
  expect(applyOperatorStatus(banned, 'draining', { force: true }, now)).toBe(banned);
});

test('a fresh session brings back only what lacked one', () => {
  expect(reauthorise(disabled('needs_reauth', { errorCount: 2 }), now)).toEqual(NEW_CONDITION);
  for (const before of [NEW_CONDITION, waiting, blocked, condition({ status: 'draining' })]) {
    expect(reauthorise(before, now)).toBe(before);
  }
  for (const reason of ['banned', 'deactivated', 'frozen', 'manual'] as const) {
    const before = disabled(reason);
    expect(reauthorise(before, now)).toBe(before);
  }
});

test('an operator recovers: waits end now; a disabled account only if forced, a draining one drains on', () => {
  const recover = (before: AccountCondition, force: boolean) => recoverNow(before, { force }, now);
  expect(recover({ ...waiting, errorCount: 3 }, false)).toEqual(NEW_CONDITION);
  expect(recover(blocked, false)).toEqual(condition({ blockLevel: 1, lastBlockEndedAt: now }));
  expect(recover(NEW_CONDITION, true)).toBe(NEW_CONDITION);
  const banned = disabled('banned', { floodWaitUntil: now + HOUR });
  expect(recover(banned, false)).toBe(banned);
  expect(recover(banned, true)).toEqual(NEW_CONDITION);
  const draining = condition({ status: 'draining', floodWaitUntil: now + HOUR });
  expect(recover(draining, true)).toEqual(condition({ status: 'draining' }));
});

test('an operator sets the end of the present wait, sooner or later', () => {
  for (const at of [now + 1, now + 9 * DAY]) {
    expect(rescheduleRecovery(waiting, at, now)).toEqual({ ...waiting, floodWaitUntil: at });
    expect(rescheduleRecovery(blocked, at, now)).toEqual({ ...blocked, blockedUntil: at });
  }
  const both = { ...blocked, floodWaitUntil: now + 30 * HOUR };
  expect(rescheduleRecovery(both, now + HOUR, now)).toMatchObject({
    blockedUntil: now + HOUR,
    floodWaitUntil: now + HOUR,
  });
  expect(rescheduleRecovery(both, now + 9 * DAY, now)).toMatchObject({
    blockedUntil: now + 9 * DAY,
    floodWaitUntil: now + 30 * HOUR,
  });
});

test('a recovery set to the past is one now; without a wait there is nothing to set', () => {
  expect(rescheduleRecovery(blocked, now - 30 * DAY, now)).toEqual(condition({ blockLevel: 1, lastBlockEndedAt: now }));
  for (const before of [NEW_CONDITION, disabled('manual')])
    expect(rescheduleRecovery(before, now + 1, now)).toBe(before);
  const held = disabled('manual', { floodWaitUntil: now + HOUR });
  expect(rescheduleRecovery(held, now, now)).toEqual(disabled('manual'));
});
