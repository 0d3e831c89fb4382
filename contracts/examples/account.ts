import { EXAMPLE, type Examples } from './example.js';

/** Examples of leasing accounts and giving them back. */
export const accountExamples: Examples<
  'account.allocate' | 'account.renew' | 'account.release' | 'account.release-all' | 'account.error'
> = {
  'account.allocate': [
    {
      name: 'An account for invitations',
      given: 'free',
      request: {
        user_id: EXAMPLE.userId,
        purpose: 'invite_campaign',
        service_name: EXAMPLE.serviceName,
        timeout_minutes: 30,
        target_channel_id: '@example_channel',
      },
      reply: {
        success: true,
        allocation: {
          account_id: EXAMPLE.accountId,
          user_id: EXAMPLE.userId,
          phone: EXAMPLE.phone,
          session_data: EXAMPLE.sessionData,
          allocated_at: '2026-03-02T10:05:09.658Z',
          allocated_by: EXAMPLE.serviceName,
          purpose: 'invite_campaign',
          expires_at: '2026-03-02T10:35:09.658Z',
          lease_id: EXAMPLE.leaseId,
          fence: EXAMPLE.fence,
          limits: {
            daily_invite_limit: 30,
            daily_message_limit: 30,
            contacts_daily_limit: 15,
            per_channel_invite_limit: 15,
            max_per_channel_total: 200,
          },
          current_usage: { invites_today: 0, messages_today: 0, contacts_today: 0 },
          selection: { reason: 'best_available', candidates: 1 },
          metadata: {},
        },
      },
    },
    {
      name: 'All accounts are leased',
      given: 'held',
      request: { user_id: EXAMPLE.userId, purpose: 'invite_campaign', service_name: EXAMPLE.serviceName },
      reply: {
        success: false,
        error: {
          code: 'ALL_BUSY',
          message: 'All suitable accounts are leased; retry_after_ms leads to the earliest expiry',
          retryable: true,
          retry_after_ms: 1799960,
          details: { counts: { total: 1, leased: 1, limited: 0, flood_wait: 0, blocked: 0, draining: 0, disabled: 0 } },
        },
      },
    },
    {
      name: 'As callers of the predecessor ask',
      given: 'free',
      request: {
        user_id: EXAMPLE.userId,
        purpose: 'general',
        service_name: EXAMPLE.serviceName,
        preferred_account_id: null,
        timeout_minutes: 30,
        target_channel_id: null,
      },
      reply: {
        success: true,
        allocation: {
          account_id: EXAMPLE.accountId,
          user_id: EXAMPLE.userId,
          phone: EXAMPLE.phone,
          session_data: EXAMPLE.sessionData,
          allocated_at: '2026-03-02T10:05:09.927Z',
          allocated_by: EXAMPLE.serviceName,
          purpose: 'general',
          expires_at: '2026-03-02T10:35:09.927Z',
          lease_id: EXAMPLE.leaseId,
          fence: EXAMPLE.fence,
          limits: {
            daily_invite_limit: 30,
            daily_message_limit: 30,
            contacts_daily_limit: 15,
            per_channel_invite_limit: 15,
            max_per_channel_total: 200,
          },
          current_usage: { invites_today: 0, messages_today: 0, contacts_today: 0 },
          selection: { reason: 'best_available', candidates: 1 },
          metadata: {},
        },
      },
    },
  ],
  'account.renew': [
    {
      name: 'Half an hour more',
      given: 'held',
      request: {
        account_id: EXAMPLE.accountId,
        service_name: EXAMPLE.serviceName,
        lease_id: EXAMPLE.leaseId,
        fence: EXAMPLE.fence,
        timeout_minutes: 30,
      },
      reply: { success: true, expires_at: '2026-03-02T10:35:10.032Z', fence: EXAMPLE.fence },
    },
  ],
  'account.release': [
    {
      name: 'After five invitations',
      given: 'held',
      request: {
        account_id: EXAMPLE.accountId,
        service_name: EXAMPLE.serviceName,
        lease_id: EXAMPLE.leaseId,
        fence: EXAMPLE.fence,
        usage_stats: {
          invites_sent: 5,
          messages_sent: 0,
          contacts_added: 0,
          success: true,
          channel_usage: { '@example_channel': 5 },
        },
      },
      reply: {
        success: true,
        message: 'account released',
        released_at: '2026-03-02T10:05:10.179Z',
        counted: { invites: 5, messages: 0, contacts: 0 },
        fence: EXAMPLE.fence,
      },
    },
    {
      name: 'As callers of the predecessor give an account back',
      given: 'held',
      request: {
        account_id: EXAMPLE.accountId,
        service_name: EXAMPLE.serviceName,
        usage_stats: { invites_sent: 2, success: true, channels_used: [' @example_channel '], batch_completed: true },
      },
      reply: {
        success: true,
        message: 'account released',
        released_at: '2026-03-02T10:05:10.179Z',
        counted: { invites: 2, messages: 0, contacts: 0 },
        fence: EXAMPLE.fence,
        ignored: ['batch_completed'],
      },
    },
    {
      name: 'Of an account that is not held',
      given: 'free',
      request: {
        account_id: EXAMPLE.accountId,
        service_name: EXAMPLE.serviceName,
        usage_stats: { invites_sent: 1, channels_used: ['@example_channel'] },
      },
      reply: {
        success: false,
        error: { code: 'NOT_HELD', message: 'The caller does not hold this account', retryable: false },
      },
    },
  ],
  'account.release-all': [
    {
      name: 'After a crash',
      given: 'held',
      request: { service_name: EXAMPLE.serviceName },
      reply: { success: true, released_count: 3, released_at: '2026-03-02T10:05:10.410Z' },
    },
  ],
  'account.error': [
    {
      name: 'Telegram asks for a pause',
      given: 'held',
      request: {
        account_id: EXAMPLE.accountId,
        error_type: 'flood_wait',
        error_message: 'A wait of 300 seconds is required (caused by InviteToChannelRequest)',
        service_name: EXAMPLE.serviceName,
        lease_id: EXAMPLE.leaseId,
        fence: EXAMPLE.fence,
      },
      reply: {
        success: true,
        result: {
          account_id: EXAMPLE.accountId,
          error_type: 'flood_wait',
          classified_as: 'flood_wait',
          action_taken: 'wait_started',
          new_status: 'flood_wait',
          recovery_time: '2026-03-02T10:11:10.651Z',
          should_retry: true,
          message: 'flood_wait: the account waits as long as Telegram asked, and a little longer',
          evidence: { decided_by: 'sentence', found: 'A wait of # seconds is required…' },
        },
      },
    },
  ],
};
