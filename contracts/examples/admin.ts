import { EXAMPLE, type Examples } from './example.js';

/** Examples of an operator's requests. */
export const adminExamples: Examples<
  | 'admin.register'
  | 'admin.set-status'
  | 'admin.reauthorize'
  | 'admin.recover'
  | 'admin.schedule-recovery'
  | 'admin.force-release'
  | 'admin.bulk'
  | 'admin.remove'
  | 'admin.parked'
  | 'admin.run-job'
> = {
  'admin.register': [
    {
      name: 'One account',
      given: 'nothing',
      request: {
        accounts: [
          {
            user_id: EXAMPLE.userId,
            phone: EXAMPLE.phone,
            session_data: EXAMPLE.sessionData,
            metadata: { proxy: 'socks5://proxy-3.internal:1080' },
          },
        ],
      },
      reply: { success: true, accounts: [{ index: 0, account_id: EXAMPLE.accountId, outcome: 'created' }] },
    },
    {
      name: 'From another system, as it stood there',
      given: 'nothing',
      request: {
        accounts: [
          {
            user_id: EXAMPLE.userId,
            session_data: EXAMPLE.sessionData,
            status: 'flood_wait',
            flood_wait_until: '2030-03-02T10:11:11.882Z',
            usage: { invite: { today: 7, by_channel: { '@example': { today: 7, total: 41 } } } },
          },
        ],
      },
      reply: { success: true, accounts: [{ index: 0, account_id: EXAMPLE.accountId, outcome: 'created' }] },
    },
  ],
  'admin.set-status': [
    {
      name: 'Draining before maintenance',
      given: 'free',
      request: { account_id: EXAMPLE.accountId, status: 'draining', reason: 'moves to another proxy' },
      reply: {
        success: true,
        account_id: EXAMPLE.accountId,
        status: 'draining',
        previous_status: 'active',
        disabled_reason: null,
        recovery_time: null,
        changed: true,
      },
    },
  ],
  'admin.reauthorize': [
    {
      name: 'After its session was revoked',
      given: 'needs_reauth',
      request: { account_id: EXAMPLE.accountId, session_data: EXAMPLE.sessionData },
      reply: {
        success: true,
        account_id: EXAMPLE.accountId,
        status: 'active',
        previous_status: 'disabled',
        disabled_reason: null,
        recovery_time: null,
        changed: true,
      },
    },
  ],
  'admin.recover': [
    {
      name: 'Ends a flood wait',
      given: 'flood_wait',
      request: { account_id: EXAMPLE.accountId, reason: 'the wait was reported by mistake' },
      reply: {
        success: true,
        account_id: EXAMPLE.accountId,
        status: 'active',
        previous_status: 'flood_wait',
        disabled_reason: null,
        recovery_time: null,
        changed: true,
      },
    },
  ],
  'admin.schedule-recovery': [
    {
      name: 'Ends a flood wait at an instant',
      given: 'flood_wait',
      request: {
        account_id: EXAMPLE.accountId,
        recovery_time: '2030-01-01T06:00:00Z',
        reason: 'rests until the campaign of the new year',
      },
      reply: {
        success: true,
        account_id: EXAMPLE.accountId,
        status: 'flood_wait',
        previous_status: 'flood_wait',
        disabled_reason: null,
        recovery_time: '2030-01-01T06:00:00.000Z',
        changed: true,
      },
    },
  ],
  'admin.force-release': [
    {
      name: 'Takes an account from a service that hangs',
      given: 'held',
      request: { account_id: EXAMPLE.accountId, reason: 'its holder hangs' },
      reply: {
        success: true,
        account_id: EXAMPLE.accountId,
        released: true,
        released_from: EXAMPLE.serviceName,
        released_at: '2026-03-02T10:05:13.291Z',
        fence: EXAMPLE.fence + 1,
      },
    },
  ],
  'admin.bulk': [
    {
      name: 'End waits by hand',
      given: 'flood_wait',
      request: {
        filter: { user_id: EXAMPLE.userId, status: 'flood_wait' },
        action: 'recover',
        reason: 'waited out by hand',
        expected_count: 1,
      },
      reply: { success: true, matched: 1, changed: 1, unchanged: 0, failed: [] },
    },
    {
      name: 'Not as many as expected',
      given: 'free',
      request: {
        filter: { user_id: EXAMPLE.userId, status: 'active' },
        action: 'drain',
        reason: 'maintenance',
        expected_count: 40,
      },
      reply: {
        success: false,
        error: {
          code: 'COUNT_CHANGED',
          message: 'expected_count: 1 account matches, not 40; nothing was done',
          retryable: true,
          details: { matched: 1 },
        },
      },
    },
  ],
  'admin.remove': [
    {
      name: 'An account that was sold',
      given: 'free',
      request: { account_id: EXAMPLE.accountId, reason: 'handed over to its new owner' },
      reply: { success: true, removed_at: '2026-03-02T10:05:12.398Z' },
    },
  ],
  'admin.parked': [
    {
      name: 'One that is not there any more',
      given: 'nothing',
      request: {
        action: 'discard',
        parked_ids: ['0b6f8e3a-1c2d-8e4f-9a5b-6c7d8e9f0a1b'],
        reason: 'its caller is gone',
      },
      reply: {
        success: true,
        total: 0,
        messages: [],
        next_cursor: null,
        results: [
          {
            parked_id: '0b6f8e3a-1c2d-8e4f-9a5b-6c7d8e9f0a1b',
            outcome: 'not_found',
            code: null,
            reason: 'it was replayed or discarded before, or never parked',
          },
        ],
      },
    },
  ],
  'admin.run-job': [
    {
      name: 'A report now',
      given: 'nothing',
      request: { job: 'report' },
      reply: {
        success: true,
        job: 'report',
        scheduled_for: '2026-03-02T10:05:10.416Z',
        state: 'done',
        attempt: 1,
        started_at: '2026-03-02T10:05:10.434Z',
        finished_at: '2026-03-02T10:05:10.526Z',
        counts: { published: 1, alerts_raised: 0, alerts_resolved: 0 },
        failure: null,
      },
    },
  ],
};
