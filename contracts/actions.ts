import { z } from 'zod';
import { actionType, channel, fence, id, instant, optional, reentry, serviceName, withDefault } from './fields.js';

/** Why an action is refused: the rule whose end comes last; `account_status` before all others. */
export const LIMIT_REASONS = [
  'daily',
  'hourly',
  'per_channel_daily',
  'per_channel_total',
  'cooldown',
  'burst',
  'account_status',
] as const;
export const limitReason = z.enum(LIMIT_REASONS);
export type LimitReason = z.output<typeof limitReason>;

/** A counting window; `limit` and `remaining` are null where the policy sets no limit. */
export const countWindow = z.strictObject({ used: z.int(), limit: z.int().nullable(), remaining: z.int().nullable() });
/** A pause: ready, or the instant at which it will be. */
export const pauseWindow = z.strictObject({ ready: z.boolean(), next_allowed_at: instant.nullable() });

const verdict = {
  allowed: z.boolean(),
  reason: limitReason.nullable(),
  next_allowed_at: instant
    .nullable()
    .describe('null when allowed, and when the action will never be allowed by itself'),
  details: z.strictObject({
    cooldown_remaining: z.int().nullable().describe('Whole seconds until allowed, rounded up; null: never by itself'),
  }),
  checks: z.strictObject({
    daily: countWindow,
    hourly: countWindow,
    per_channel: countWindow
      .extend({ total: countWindow })
      .optional()
      .describe('Today, and ever (total), in the target channel'),
    cooldown: pauseWindow,
    burst: pauseWindow,
  }),
  reentry,
};

const target = { account_id: id, action_type: actionType, target_channel_id: optional(channel) };

export const checkRequest = z.strictObject({
  ...target,
  allow_locked: optional(z.boolean()).describe('Accepted from older callers; changes nothing'),
  service_name: optional(serviceName).describe('Accepted from older callers; changes nothing'),
});
export const checkReply = z.strictObject(verdict);

export const acquireRequest = z.strictObject({
  ...target,
  service_name: optional(serviceName),
  lease_id: optional(id),
  fence: optional(fence),
});
export const acquireReply = z.strictObject({ ...verdict, permit_id: id.optional().describe('Present when allowed') });

export const recordRequest = z.strictObject({
  ...target,
  success: withDefault(z.boolean(), true),
  permit_id: optional(id).describe('Settles that permit and counts nothing again'),
  service_name: optional(serviceName),
  lease_id: optional(id),
});
export const recordReply = z.strictObject({ message: z.string(), recorded_at: instant, over_limit: z.boolean() });
