import { EXAMPLE, type Examples } from './example.js';

const limits = (
  daily: number,
  hourly: number,
  cooldown: number,
  [burst, burstCooldown]: [number, number],
  [channelDaily, channelTotal]: [number | null, number | null] = [null, null],
) => ({
  daily_limit: daily,
  hourly_limit: hourly,
  per_channel_daily: channelDaily,
  per_channel_total: channelTotal,
  cooldown_seconds: cooldown,
  burst_limit: burst,
  burst_cooldown_seconds: burstCooldown,
});

/** Examples of the views of the whole fleet. */
export const viewExamples: Examples<
  'query.leases' | 'query.recoveries' | 'query.jobs' | 'query.alerts' | 'query.events' | 'query.series' | 'query.policy'
> = {
  'query.leases': [
    {
      name: 'Leases of one service',
      given: 'acquired',
      request: { user_id: EXAMPLE.userId, service_name: EXAMPLE.serviceName },
      reply: {
        success: true,
        leases: [
          {
            lease_id: EXAMPLE.leaseId,
            account_id: EXAMPLE.accountId,
            user_id: EXAMPLE.userId,
            phone: EXAMPLE.phone,
            service_name: EXAMPLE.serviceName,
            caller: null,
            purpose: 'invite_campaign',
            target_channel: null,
            fence: EXAMPLE.fence,
            allocated_at: '2026-03-02T10:05:09.658Z',
            expires_at: '2026-03-02T10:35:09.658Z',
            actions: { invite: 1 },
          },
        ],
        total: 1,
        total_is_at_least: false,
        next_cursor: null,
      },
    },
  ],
  'query.recoveries': [
    {
      name: 'Recoveries within a day',
      given: 'flood_wait',
      request: { user_id: EXAMPLE.userId, within_seconds: 86_400 },
      reply: {
        success: true,
        recoveries: [
          {
            account_id: EXAMPLE.accountId,
            user_id: EXAMPLE.userId,
            phone: EXAMPLE.phone,
            status: 'flood_wait',
            classified_as: 'flood_wait',
            telegram_error: 'FLOOD_WAIT_X',
            began_at: '2026-03-02T10:05:12.338Z',
            recovers_at: '2026-03-02T10:11:12.338Z',
          },
        ],
        total: 1,
        total_is_at_least: false,
        next_cursor: null,
      },
    },
  ],
  'query.jobs': [
    {
      name: 'When the fleet is reported next',
      given: 'nothing',
      request: { job: 'report', runs: 0 },
      reply: {
        success: true,
        jobs: [
          {
            job: 'report',
            cadence: '0 22 */6 * * *',
            next_run_at: '2026-03-02T12:22:00.000Z',
            overdue: false,
            runs: [],
          },
        ],
        total: 1,
        total_is_at_least: false,
        next_cursor: null,
      },
    },
  ],
  'query.alerts': [
    {
      name: 'Critical alerts that are open now',
      given: 'nothing',
      request: { severity: 'critical' },
      reply: {
        success: true,
        alerts: [
          {
            alert_id: 'b7f0a1c2-3d4e-4f5a-8b6c-7d8e9f0a1b2c',
            alert: 'blocked_share',
            subject: '',
            severity: 'critical',
            data: { accounts: 4, total_accounts: 50, percent: 8, threshold_percent: 5 },
            raised_at: '2026-03-02T09:48:01.220Z',
            resolved_at: null,
          },
        ],
        total: 1,
        total_is_at_least: false,
        next_cursor: null,
      },
    },
  ],
  'query.events': [
    {
      name: 'Events of one account',
      given: 'free',
      request: { account_id: EXAMPLE.accountId, limit: 10 },
      reply: {
        success: true,
        events: [
          {
            position: '.812345-812347-812345.90871',
            event: {
              specversion: '1.0',
              id: '0c5f6f0e-5a3c-4d4e-9a43-6c1b2f3d4e5f',
              source: 'account-manager',
              type: 'account.registered',
              time: '2026-03-01T08:00:00.120Z',
              subject: EXAMPLE.accountId,
              datacontenttype: 'application/json',
              data: {
                outcome: 'created',
                account_id: EXAMPLE.accountId,
                user_id: EXAMPLE.userId,
                sequence: 1,
                request_id: '7a6b5c4d-3e2f-4a1b-8c9d-0e1f2a3b4c5d',
              },
            },
          },
        ],
        next_after: '812345-812347-812345',
      },
    },
  ],
  'query.series': [
    {
      name: 'Grants by the quarter of an hour',
      given: 'nothing',
      request: {
        names: ['grants'],
        from: '2026-03-02T10:00:00.000Z',
        to: '2026-03-02T10:15:00.000Z',
        step_seconds: 900,
      },
      reply: { success: true, step_seconds: 900, series: [{ name: 'grants', points: [] }] },
    },
  ],
  'query.policy': [
    {
      name: 'The limits in force',
      given: 'nothing',
      request: {},
      reply: {
        success: true,
        limits: {
          invite: limits(30, 5, 120, [3, 300], [15, 200]),
          message: limits(30, 10, 60, [5, 180]),
          add_contact: limits(15, 3, 300, [2, 600]),
          join_channel: limits(20, 5, 120, [3, 300]),
          leave_channel: limits(20, 5, 120, [3, 300]),
          parse: limits(5000, 120, 2, [20, 60]),
        },
        differing: {},
        count_failed_attempts: true,
        reentry: { days: 3, daily_percent: 50 },
        alerts: { flood_wait_percent: 10, blocked_percent: 5, near_limits_percent: 30, near_limit_percent: 80 },
        cadences: {
          'reset-daily-limits': '0 0 0 * * *',
          'process-recoveries': '0 */5 * * * *',
          'cleanup-locks': '0 7,37 * * * *',
          'health-scan': '0 3-59/15 * * * *',
          'cleanup-rate-limits': '0 11 * * * *',
          report: '0 22 */6 * * *',
        },
        history_days: 30,
      },
    },
  ],
};
