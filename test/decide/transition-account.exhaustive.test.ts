import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { ACCOUNT_STATUSES, type AccountStatus, DISABLED_REASONS, ERROR_CLASSES } from '../../contracts/fields.js';
import type { AccountCondition } from '../../src/decide/condition/account-condition.js';
import type { ErrorEffect } from '../../src/decide/telegram-errors/types.js';
import { canBeGranted, recoveryAt } from '../../src/decide/condition/plan-recovery.js';
import {
  applyError,
  applyOperatorStatus,
  reauthorise,
  recoverNow,
  rescheduleRecovery,
  settleCondition,
  TRANSITIONS,
  type TransitionCause,
} from '../../src/decide/condition/transition-account.js';

/*
 * Every status, with every kind of wait under it, meets every error and every decision of an operator. Node's assert,
 * since a hundred thousand cases with Jest's `expect` take two minutes.
 */

const now = Date.parse('2026-03-01T12:00:00.000Z');
const DAY = 86_400_000;
const ends = [null, now - 1, now, now + 1, now + 30_000, now + 20 * DAY];

const conditions: AccountCondition[] = ACCOUNT_STATUSES.flatMap((status) =>
  (status === 'disabled' ? DISABLED_REASONS : [null]).flatMap((disabledReason) =>
    ends.flatMap((floodWaitUntil) =>
      ends.flatMap((blockedUntil) =>
        [
          { blockLevel: 0, lastBlockEndedAt: null },
          { blockLevel: 2, lastBlockEndedAt: now - DAY },
        ].map((block) => ({ status, disabledReason, floodWaitUntil, blockedUntil, ...block, errorCount: 3 })),
      ),
    ),
  ),
);
const effects: ErrorEffect[] = [
  { kind: 'none' },
  { kind: 'count_error' },
  { kind: 'wait', waitSeconds: 1 },
  { kind: 'wait', waitSeconds: 14 * 86_400 },
  { kind: 'block' },
  ...(['banned', 'deactivated', 'frozen', 'needs_reauth'] as const).map((reason) => ({
    kind: 'disable' as const,
    reason,
  })),
];

/** Asserts the rules of the database, and those that a reader may rely on. */
function assertWhole(condition: AccountCondition): void {
  const { status, disabledReason, floodWaitUntil, blockedUntil } = condition;
  assert.equal(disabledReason !== null, status === 'disabled');
  for (const until of [floodWaitUntil, blockedUntil]) assert(until === null || until > now);
  if (status === 'active') assert(floodWaitUntil === null && blockedUntil === null);
  if (status === 'flood_wait') assert(floodWaitUntil !== null && blockedUntil === null);
  if (status === 'blocked') assert(blockedUntil !== null);
  assert.equal(canBeGranted(condition), status === 'active');
  const recovers = status !== 'active' && status !== 'disabled';
  const latest = Math.max(floodWaitUntil ?? 0, blockedUntil ?? 0) || null;
  assert.equal(recoveryAt(condition), recovers ? latest : null);
}

const seen = new Set<string>();
const note = (cause: TransitionCause, from: AccountStatus, to: AccountStatus) => {
  if (from !== to) seen.add(`${cause}: ${from} → ${to}`);
};

test('time: waits that are over end, those that are not stay, and what is sticky stays', () => {
  for (const condition of conditions) {
    const { condition: settled, recovered } = settleCondition(condition, now);
    note('time', condition.status, settled.status);
    assertWhole(settled);
    assert.deepEqual(settleCondition(settled, now), { condition: settled, recovered: false });
    assert.equal(recovered, settled.status === 'active' && condition.status !== 'active');
    for (const wait of ['floodWaitUntil', 'blockedUntil'] as const) {
      const until = condition[wait];
      assert.equal(settled[wait], until !== null && until <= now ? null : until);
    }
    if (condition.status === 'disabled' || condition.status === 'draining') {
      assert.equal(settled.status, condition.status);
      assert.equal(settled.disabledReason, condition.disabledReason);
    }
  }
});

test.each(ERROR_CLASSES)('%s: no error shortens a wait, revives an account, or breaks what holds', (errorClass) => {
  for (const condition of conditions) {
    const before = settleCondition(condition, now).condition;
    for (const effect of effects) {
      const applied = applyError(condition, { errorClass, effect }, now);
      const after = applied.condition;
      note('error', before.status, after.status);
      assertWhole(after);
      assert((after.floodWaitUntil ?? 0) >= (before.floodWaitUntil ?? 0));
      assert((after.blockedUntil ?? 0) >= (before.blockedUntil ?? 0));
      if (before.status !== 'active') assert.notEqual(after.status, 'active');
      if (before.status === 'disabled') assert.equal(after.status, 'disabled');
      if (before.status === 'draining' && effect.kind !== 'disable') assert.equal(after.status, 'draining');
      assert.equal(applied.recoveryAt, recoveryAt(after));
      if (after.status === 'disabled') assert.equal(applied.shouldRetry, false);
      if (effect.kind === 'none') assert.equal(applied.action, 'none');
      assert.equal(applied.action === 'none', isDeepStrictEqual(after, before));
    }
  }
});

test('operators: every decision on every condition', () => {
  const decisions: ((condition: AccountCondition) => AccountCondition)[] = [
    ...(['active', 'disabled', 'draining'] as const).flatMap((wanted) =>
      [false, true].map(
        (force) => (condition: AccountCondition) => applyOperatorStatus(condition, wanted, { force }, now),
      ),
    ),
    (condition) => reauthorise(condition, now),
    (condition) => recoverNow(condition, { force: false }, now),
    (condition) => recoverNow(condition, { force: true }, now),
    ...[now - DAY, now, now + 1, now + 30 * DAY].map(
      (at) => (condition: AccountCondition) => rescheduleRecovery(condition, at, now),
    ),
  ];
  for (const condition of conditions) {
    const before = settleCondition(condition, now).condition;
    for (const decide of decisions) {
      const after = decide(condition);
      note('operator', before.status, after.status);
      assertWhole(after);
      assert.deepEqual(decide(after), after);
    }
  }
});

test('the table of transitions is exactly what happens: nothing else, and no row for nothing', () => {
  const table = Object.entries(TRANSITIONS).flatMap(([cause, byStatus]) =>
    Object.entries(byStatus).flatMap(([from, targets]) => targets.map((to) => `${cause}: ${from} → ${to}`)),
  );
  expect([...seen].sort()).toEqual([...table].sort());
});
