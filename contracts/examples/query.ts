import { EXAMPLE, type Examples } from './example.js';
import { FLEET_REPORT } from './fleet-report.js';

/** Examples of looking at accounts. */
export const queryExamples: Examples<
  | 'query.health'
  | 'query.limits'
  | 'query.flood-wait'
  | 'query.recovery-stats'
  | 'query.accounts'
  | 'query.explain'
  | 'query.history'
  | 'query.status'
  | 'query.report'
> = {
  'query.health': [
    {
      name: 'An account in a flood wait',
      given: 'flood_wait',
      request: { account_id: EXAMPLE.accountId },
      reply: {
        success: true,
        health: {
          account_id: EXAMPLE.accountId,
          is_healthy: false,
          status: 'flood_wait',
          issues: ['in a flood wait until 2026-03-02T10:11:11.882Z'],
          recovery_eta: '2026-03-02T10:11:11.882Z',
          last_check: '2026-03-02T10:05:11.927Z',
          metadata: {
            disabled_reason: null,
            flood_wait_until: '2026-03-02T10:11:11.882Z',
            blocked_until: null,
            block_level: 0,
            error_count: 0,
            locked_by: null,
            locked_until: null,
            last_used_at: null,
            invites_today: 0,
            messages_today: 0,
            contacts_today: 0,
          },
        },
      },
    },
  ],
  'query.limits': [
    {
      name: 'After one invitation',
      given: 'acquired',
      request: { account_id: EXAMPLE.accountId },
      reply: {
        success: true,
        status: {
          account_id: EXAMPLE.accountId,
          is_available: false,
          daily_limits: {
            invite: { used: 1, limit: 30, remaining: 29 },
            message: { used: 0, limit: 30, remaining: 30 },
            add_contact: { used: 0, limit: 15, remaining: 15 },
            join_channel: { used: 0, limit: 20, remaining: 20 },
            leave_channel: { used: 0, limit: 20, remaining: 20 },
            parse: { used: 0, limit: 5000, remaining: 5000 },
          },
          hourly_limits: {
            invite: { used: 1, limit: 5, remaining: 4 },
            message: { used: 0, limit: 10, remaining: 10 },
            add_contact: { used: 0, limit: 3, remaining: 3 },
            join_channel: { used: 0, limit: 5, remaining: 5 },
            leave_channel: { used: 0, limit: 5, remaining: 5 },
            parse: { used: 0, limit: 120, remaining: 120 },
          },
          cooldowns: {
            invite: { ready: false, next_allowed_at: '2026-03-02T10:07:12.024Z' },
            message: { ready: true, next_allowed_at: null },
            add_contact: { ready: true, next_allowed_at: null },
            join_channel: { ready: true, next_allowed_at: null },
            leave_channel: { ready: true, next_allowed_at: null },
            parse: { ready: true, next_allowed_at: null },
          },
          burst_status: {
            invite: { ready: true, next_allowed_at: null, used: 1, limit: 3 },
            message: { ready: true, next_allowed_at: null, used: 0, limit: 5 },
            add_contact: { ready: true, next_allowed_at: null, used: 0, limit: 2 },
            join_channel: { ready: true, next_allowed_at: null, used: 0, limit: 3 },
            leave_channel: { ready: true, next_allowed_at: null, used: 0, limit: 3 },
            parse: { ready: true, next_allowed_at: null, used: 0, limit: 20 },
          },
          per_channel_limits: {
            invite: {
              example_channel: { used: 1, limit: 15, remaining: 14, total: { used: 1, limit: 200, remaining: 199 } },
            },
            message: {},
            add_contact: {},
            join_channel: {},
            leave_channel: {},
            parse: {},
          },
        },
      },
    },
  ],
  'query.flood-wait': [
    {
      name: 'In a flood wait',
      given: 'flood_wait',
      request: { account_id: EXAMPLE.accountId },
      reply: {
        success: true,
        flood_wait_active: true,
        flood_wait: {
          account_id: EXAMPLE.accountId,
          flood_wait_until: '2026-03-02T10:11:12.164Z',
          remaining_seconds: 360,
        },
      },
    },
    {
      name: 'In none',
      given: 'free',
      request: { account_id: EXAMPLE.accountId },
      reply: { success: true, flood_wait_active: false },
    },
  ],
  'query.recovery-stats': [
    {
      name: 'The fleet',
      given: 'nothing',
      request: {},
      reply: {
        success: true,
        stats: {
          total_active: 48,
          status_breakdown: { active: 43, flood_wait: 3, blocked: 1, draining: 1, disabled: 2 },
          healthy_accounts: 42,
          flood_wait_active: 3,
          blocked_active: 1,
          high_error_count: 1,
          locked_by_services: { 'invite-service': 12, 'parsing-service': 4 },
          recovery_queue_size: 4,
          next_recovery_at: '2026-03-02T10:11:10.651Z',
        },
        generated_at: '2026-03-02T10:05:12.244Z',
      },
    },
  ],
  'query.accounts': [
    {
      name: 'Accounts that can still invite',
      given: 'free',
      request: { user_id: EXAMPLE.userId, purpose: 'invite_campaign', only_available: true, limit: 50 },
      reply: {
        success: true,
        user_id: EXAMPLE.userId,
        purpose: 'invite_campaign',
        total_accounts: 1,
        free_accounts: 1,
        leased_accounts: 0,
        active_accounts: 1,
        available_now: 1,
        aggregates: {
          status_distribution: { active: 1, flood_wait: 0, blocked: 0, draining: 0, disabled: 0 },
          capacity_today: {
            invite: 30,
            message: 30,
            add_contact: 15,
            join_channel: 20,
            leave_channel: 20,
            parse: 5000,
          },
          capacity_today_sum: 30,
          capacity_today_by_channel: null,
          can_invite_in_channel_true: null,
        },
        accounts: [
          {
            account_id: EXAMPLE.accountId,
            user_id: EXAMPLE.userId,
            status: 'active',
            disabled_reason: null,
            is_available: true,
            available_at: null,
            leased_by: null,
            leased_until: null,
            error_count: 0,
            last_used_at: null,
            used_today: { invite: 0, message: 0, add_contact: 0, join_channel: 0, leave_channel: 0, parse: 0 },
            phone: EXAMPLE.phone,
            used_invites_today: 0,
            used_messages_today: 0,
            contacts_today: 0,
            flood_wait_until: null,
            blocked_until: null,
            metadata: {},
            restricted_by: null,
            recovery_at: null,
          },
        ],
        total: 1,
        total_is_at_least: false,
        next_cursor: null,
      },
    },
  ],
  'query.explain': [
    {
      name: 'Why an account is not granted',
      given: 'needs_reauth',
      request: { user_id: EXAMPLE.userId, purpose: 'message_campaign' },
      reply: {
        success: true,
        explained_at: '2026-03-02T10:05:12.398Z',
        total_accounts: 1,
        accounts: [
          {
            account_id: EXAMPLE.accountId,
            phone: EXAMPLE.phone,
            status: 'disabled',
            leased_by: null,
            leased_until: null,
            restricted_by: { classified_as: 'auth', telegram_error: 'AUTH_KEY_UNREGISTERED', reason: null },
            summary: 'Disabled until it gets a fresh session because Telegram answered AUTH_KEY_UNREGISTERED (auth).',
            grantable: false,
            grantable_at: null,
            rules: [
              { rule: 'account_status', passed: false, passes_at: null },
              { rule: 'lease', passed: true, passes_at: null },
              { rule: 'daily', passed: true, passes_at: null, action_type: 'message', used: 0, limit: 30 },
              { rule: 'hourly', passed: true, passes_at: null, action_type: 'message', used: 0, limit: 10 },
              { rule: 'cooldown', passed: true, passes_at: null, action_type: 'message' },
              { rule: 'burst', passed: true, passes_at: null, action_type: 'message', used: 0, limit: 5 },
            ],
          },
        ],
      },
    },
  ],
  'query.history': [
    {
      name: 'A grant and one invitation',
      given: 'acquired',
      request: { account_id: EXAMPLE.accountId },
      reply: {
        success: true,
        account_id: EXAMPLE.accountId,
        entries: [
          {
            type: 'action.acquired',
            sequence: 2,
            occurred_at: '2026-03-02T10:05:12.398Z',
            service_name: EXAMPLE.serviceName,
            caller: null,
            reason: null,
            request_id: 'f2b1d7aa-9c7b-4a53-8a55-0d3f5b7c9e10',
            lease_id: EXAMPLE.leaseId,
            limits_left: { invite: { daily: 29, hourly: 4, per_channel_daily: 14, per_channel_total: 199 } },
            details: {
              action_type: 'invite',
              target_channel_id: 'example_channel',
              quantity: 1,
              permit_id: EXAMPLE.permitId,
              success: null,
              settled_at: null,
            },
          },
          {
            type: 'account.allocated',
            sequence: 2,
            occurred_at: '2026-03-02T10:05:09.658Z',
            service_name: EXAMPLE.serviceName,
            caller: null,
            reason: null,
            request_id: '0c5f6f0e-5a3c-4d4e-9a43-6c1b2f3d4e5f',
            lease_id: EXAMPLE.leaseId,
            limits_left: {
              invite: { daily: 30, hourly: 5 },
              message: { daily: 30, hourly: 10 },
              add_contact: { daily: 15, hourly: 3 },
            },
            details: {
              fence: 1,
              purpose: 'invite_campaign',
              expires_at: '2026-03-02T10:35:09.658Z',
              selection: 'best_available',
            },
          },
          {
            type: 'account.registered',
            sequence: 1,
            occurred_at: '2026-03-01T08:00:00.120Z',
            service_name: null,
            caller: null,
            reason: null,
            request_id: '7a6b5c4d-3e2f-4a1b-8c9d-0e1f2a3b4c5d',
            lease_id: null,
            limits_left: null,
            details: { outcome: 'created' },
          },
        ],
        next_cursor: null,
      },
    },
  ],
  'query.status': [
    {
      name: 'The fleet',
      given: 'nothing',
      request: {},
      reply: {
        success: true,
        total_accounts: 50,
        healthy_accounts: 42,
        leased_accounts: 16,
        status_breakdown: { active: 43, flood_wait: 3, blocked: 1, draining: 1, disabled: 2 },
        active_accounts: 43,
        locked_accounts: 16,
        available_accounts: 27,
        locked_by_service: { 'invite-service': 12, 'parsing-service': 4 },
        identity: 'on',
        network_is_trusted: false,
        leases_by_service: { 'invite-service': 12, 'parsing-service': 4 },
        dependencies: {
          database: { up: true, latency_ms: 10.8 },
          broker: { up: true, latency_ms: 1.6 },
          redis: { up: true, latency_ms: 0.4 },
        },
        generated_at: '2026-03-02T10:05:12.410Z',
      },
    },
  ],
  'query.report': [
    { name: 'The latest', given: 'report', request: {}, reply: { success: true, report: FLEET_REPORT } },
    {
      name: 'One that does not exist',
      given: 'nothing',
      request: { report_id: '1f0e2d3c-4b5a-4968-8776-655443322110' },
      reply: { success: true, report: null },
    },
  ],
};
