import type { CloudEvent, EventType } from '../events.js';
import { EXAMPLE } from './example.js';
import { FLEET_REPORT } from './fleet-report.js';

const TIME = '2026-03-02T10:05:09.658Z';
const UNTIL = '2026-03-02T10:35:09.658Z';

const envelope = {
  specversion: '1.0',
  id: '5a1d3c70-92b4-4e6f-8d21-7c0b9e8f4a36',
  source: 'account-manager',
  time: TIME,
  datacontenttype: 'application/json',
} as const;

/** An event of an account. */
const ofAccount = (type: EventType, data: Record<string, unknown>): CloudEvent => ({
  ...envelope,
  type,
  subject: EXAMPLE.accountId,
  data: { ...data, account_id: EXAMPLE.accountId, user_id: EXAMPLE.userId, sequence: 12, request_id: 'campaign-7/42' },
});

/** An event of the whole fleet. */
const ofFleet = (type: EventType, data: Record<string, unknown>): CloudEvent => ({ ...envelope, type, data });

const lease = { lease_id: EXAMPLE.leaseId, fence: EXAMPLE.fence, service_name: EXAMPLE.serviceName };
const exceeded = { action_type: 'invite', limits: [{ limit: 'daily', used: 31, allowed: 30 }] };

/** One event of every type. */
export const EVENT_EXAMPLES: Readonly<Record<EventType, CloudEvent>> = {
  'account.registered': ofAccount('account.registered', { outcome: 'created' }),
  'account.allocated': ofAccount('account.allocated', { ...lease, purpose: 'invite_campaign', expires_at: UNTIL }),
  'account.renewed': ofAccount('account.renewed', { ...lease, expires_at: UNTIL }),
  'account.released': ofAccount('account.released', { ...lease, ended_at: TIME }),
  'account.lease_expired': ofAccount('account.lease_expired', { ...lease, ended_at: TIME }),
  'account.flood_wait': ofAccount('account.flood_wait', {
    status: 'flood_wait',
    previous_status: 'active',
    recovery_at: '2026-03-02T10:11:09.658Z',
    error_class: 'flood_wait',
    telegram_error: 'FLOOD_WAIT_X',
    wait_seconds: 300,
  }),
  'account.blocked': ofAccount('account.blocked', {
    status: 'blocked',
    previous_status: 'active',
    recovery_at: '2026-03-03T10:05:09.658Z',
    error_class: 'peer_flood',
    telegram_error: 'PEER_FLOOD',
    wait_seconds: null,
  }),
  'account.disabled': ofAccount('account.disabled', {
    status: 'disabled',
    previous_status: 'active',
    recovery_at: null,
    error_class: 'auth',
    telegram_error: 'AUTH_KEY_UNREGISTERED',
    wait_seconds: null,
  }),
  'account.draining': ofAccount('account.draining', {
    status: 'draining',
    previous_status: 'active',
    recovery_at: null,
    actor: null,
    reason: 'moves to another proxy',
  }),
  'account.recovered': ofAccount('account.recovered', { previous_status: 'flood_wait' }),
  'account.reauthorized': ofAccount('account.reauthorized', { status: 'active', actor: null, same_key: false }),
  'limit.exceeded': ofAccount('limit.exceeded', exceeded),
  'limits.reset': ofFleet('limits.reset', { day: '2026-03-02', reset_at: '2026-03-02T00:00:00.000Z' }),
  'report.generated': ofFleet('report.generated', { ...FLEET_REPORT }),
  'alert.info': ofFleet('alert.info', {
    alert: 'near_limits_share',
    alert_id: '9b8a7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d',
    state: 'raised',
    accounts: 18,
    total_accounts: 50,
    percent: 36,
    threshold_percent: 30,
  }),
  'alert.warning': ofFleet('alert.warning', {
    alert: 'limit_exceeded',
    alert_id: '1d2e3f40-5b6c-4d7e-8f90-a1b2c3d4e5f6',
    subject: `${EXAMPLE.accountId} invite`,
    state: 'raised',
    account_id: EXAMPLE.accountId,
    user_id: EXAMPLE.userId,
    ...exceeded,
    until: '2026-03-03T00:00:00.000Z',
  }),
  'alert.critical': ofFleet('alert.critical', {
    alert: 'blocked_share',
    alert_id: '0c1d2e3f-4a5b-4c6d-9e7f-8a9b0c1d2e3f',
    state: 'raised',
    accounts: 4,
    total_accounts: 50,
    percent: 8,
    threshold_percent: 5,
  }),
};
