import { expect, test } from '@jest/globals';
import type { EventType } from '../../contracts/events.js';
import { describeEvent } from '../../src/broker/describe-event.js';

const held = { service_name: 'inviting', lease_id: 'l', fence: 3 };
const waits = { recovery_at: '2026-11-30T01:00:00.000Z', telegram_error: 'PEER_FLOOD', error_class: 'peer_flood' };

test.each<[EventType, Record<string, unknown>, string | null]>([
  ['account.allocated', held, null],
  ['account.renewed', held, null],
  ['account.released', { ...held, success: true }, null],
  [
    'account.released',
    { ...held, superseded: true },
    'inviting took account a over under a new lease; the one before has ended',
  ],
  [
    'account.released',
    { ...held, forced: true, reason: 'stuck' },
    'account a was taken from inviting by an operator: stuck',
  ],
  ['account.lease_expired', held, 'the lease of account a expired: inviting did not release it'],
  ['account.blocked', waits, 'account a is blocked until 2026-11-30T01:00:00.000Z: PEER_FLOOD'],
  ['account.flood_wait', { recovery_at: null }, 'account a is in a flood wait'],
  ['account.disabled', { telegram_error: null, error_class: 'auth' }, 'account a is disabled: auth'],
  ['account.disabled', { disabled_reason: 'manual', reason: 'sold' }, 'account a is disabled: manual'],
  ['account.recovered', { previous_status: 'blocked' }, 'account a is active again after blocked'],
  ['alert.critical', { alert: 'blocked_share', state: 'raised' }, 'alert blocked_share is raised (critical)'],
  [
    'alert.warning',
    { alert: 'proxy_failing', subject: 'p:1', state: 'resolved' },
    'alert proxy_failing of p:1 is resolved (warning)',
  ],
  ['limits.reset', { day: '2026-11-30' }, null],
])('%s %j: %s', (type, data, sentence) => {
  expect(describeEvent({ type, accountId: 'a', data })).toBe(sentence);
});
