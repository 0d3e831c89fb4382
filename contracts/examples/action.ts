import { EXAMPLE, type Examples } from './example.js';

/** Examples of asking for, recording and settling actions. */
export const actionExamples: Examples<'action.check' | 'action.acquire' | 'action.record'> = {
  'action.check': [
    {
      name: 'May it invite now?',
      given: 'free',
      request: { account_id: EXAMPLE.accountId, action_type: 'invite', target_channel_id: '@example_channel' },
      reply: {
        success: true,
        allowed: true,
        reason: null,
        next_allowed_at: null,
        details: { cooldown_remaining: 0 },
        checks: {
          daily: { used: 0, limit: 30, remaining: 30 },
          hourly: { used: 0, limit: 5, remaining: 5 },
          per_channel: { used: 0, limit: 15, remaining: 15, total: { used: 0, limit: 200, remaining: 200 } },
          cooldown: { ready: true, next_allowed_at: null },
          burst: { ready: true, next_allowed_at: null },
        },
      },
    },
  ],
  'action.acquire': [
    {
      name: 'A permit for one invitation',
      given: 'held',
      request: {
        account_id: EXAMPLE.accountId,
        action_type: 'invite',
        target_channel_id: '@example_channel',
        service_name: EXAMPLE.serviceName,
        lease_id: EXAMPLE.leaseId,
        fence: EXAMPLE.fence,
      },
      reply: {
        success: true,
        allowed: true,
        reason: null,
        next_allowed_at: null,
        details: { cooldown_remaining: 0 },
        checks: {
          daily: { used: 1, limit: 30, remaining: 29 },
          hourly: { used: 1, limit: 5, remaining: 4 },
          per_channel: { used: 1, limit: 15, remaining: 14, total: { used: 1, limit: 200, remaining: 199 } },
          cooldown: { ready: false, next_allowed_at: '2026-03-02T10:07:11.065Z' },
          burst: { ready: true, next_allowed_at: null },
        },
        permit_id: EXAMPLE.permitId,
      },
    },
    {
      name: 'Too soon after the one before',
      given: 'acquired',
      request: {
        account_id: EXAMPLE.accountId,
        action_type: 'invite',
        target_channel_id: '@example_channel',
        service_name: EXAMPLE.serviceName,
        lease_id: EXAMPLE.leaseId,
        fence: EXAMPLE.fence,
      },
      reply: {
        success: true,
        allowed: false,
        reason: 'cooldown',
        next_allowed_at: '2026-03-02T10:07:11.217Z',
        details: { cooldown_remaining: 120 },
        checks: {
          daily: { used: 1, limit: 30, remaining: 29 },
          hourly: { used: 1, limit: 5, remaining: 4 },
          per_channel: { used: 1, limit: 15, remaining: 14, total: { used: 1, limit: 200, remaining: 199 } },
          cooldown: { ready: false, next_allowed_at: '2026-03-02T10:07:11.217Z' },
          burst: { ready: true, next_allowed_at: null },
        },
      },
    },
  ],
  'action.record': [
    {
      name: 'Settling a permit',
      given: 'acquired',
      request: {
        account_id: EXAMPLE.accountId,
        action_type: 'invite',
        target_channel_id: '@example_channel',
        permit_id: EXAMPLE.permitId,
        success: true,
      },
      reply: {
        success: true,
        message: 'permit settled; the action was counted when it was acquired',
        recorded_at: '2026-03-02T10:05:11.555Z',
        over_limit: false,
      },
    },
    {
      name: 'An action without a permit',
      given: 'held',
      request: {
        account_id: EXAMPLE.accountId,
        action_type: 'message',
        success: true,
        service_name: EXAMPLE.serviceName,
        lease_id: EXAMPLE.leaseId,
      },
      reply: { success: true, message: 'action counted', recorded_at: '2026-03-02T10:05:11.724Z', over_limit: false },
    },
  ],
};
