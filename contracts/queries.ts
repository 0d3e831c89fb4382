import { z } from 'zod';
import { countWindow, pauseWindow } from './actions.js';
import {
  ACTION_TYPES,
  accountStatus,
  actionType,
  disabledReason,
  id,
  instant,
  reentry,
  serviceName,
} from './fields.js';

export const noFields = z.strictObject({});
export const byAccount = z.strictObject({ account_id: id });

const byAction = <T extends z.ZodType>(value: T) => z.record(actionType, value);

export const limitsReply = z.strictObject({
  status: z.strictObject({
    account_id: id,
    is_available: z.boolean().describe('Active, not draining, and not leased'),
    daily_limits: byAction(countWindow),
    hourly_limits: byAction(countWindow),
    cooldowns: byAction(pauseWindow),
    burst_status: byAction(pauseWindow.extend({ used: z.int(), limit: z.int().nullable() })),
    per_channel_limits: z
      .record(z.enum(ACTION_TYPES), z.record(z.string(), countWindow.extend({ total: countWindow })))
      .describe('By action and channel: today, and ever (total)'),
    reentry,
  }),
});

export const recoveryStatsReply = z.strictObject({
  stats: z.strictObject({
    total_active: z.int().describe('Accounts that are not disabled'),
    status_breakdown: z.record(accountStatus, z.int()),
    healthy_accounts: z.int(),
    flood_wait_active: z.int(),
    blocked_active: z.int(),
    high_error_count: z.int(),
    locked_by_services: z.record(z.string(), z.int()),
    recovery_queue_size: z.int(),
    next_recovery_at: instant.nullable(),
  }),
  generated_at: instant,
});

export const healthReply = z.strictObject({
  health: z.strictObject({
    account_id: id,
    is_healthy: z.boolean().describe('Active, and with few errors since the last recovery'),
    status: accountStatus,
    issues: z.array(z.string()).describe('Faults, one sentence each; for a person'),
    recovery_eta: instant
      .nullable()
      .describe('When its waits end and it can act again; null: it waits for nothing, or is disabled'),
    last_check: instant.describe('The instant this is true of: now'),
    metadata: z.strictObject({
      disabled_reason: disabledReason.nullable(),
      flood_wait_until: instant.nullable(),
      blocked_until: instant.nullable(),
      block_level: z.int().describe('How far blocks have escalated; 0: none yet'),
      error_count: z
        .int()
        .describe(
          'Errors of the last 24 hours (ERROR_WINDOW_HOURS) since its last recovery; leases that end well lower it',
        ),
      locked_by: serviceName.nullable().describe('The service that has the account leased'),
      locked_until: instant.nullable(),
      last_used_at: instant.nullable(),
      invites_today: z.int(),
      messages_today: z.int(),
      contacts_today: z.int(),
    }),
  }),
});

export const floodWaitReply = z.strictObject({
  flood_wait_active: z.boolean(),
  flood_wait: z
    .strictObject({
      account_id: id,
      flood_wait_until: instant.describe('Its end: what Telegram asked for and a little more'),
      remaining_seconds: z.int().min(1).describe('Rounded up'),
    })
    .optional()
    .describe('Present while a flood wait is on, also under draining and disabled'),
});
