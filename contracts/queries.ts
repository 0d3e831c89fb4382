import { z } from 'zod';
import { countWindow, pauseWindow } from './actions.js';
import { ACTION_TYPES, accountStatus, actionType, id, instant } from './fields.js';

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
