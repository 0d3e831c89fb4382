import { z } from 'zod';
import { usageStats } from './usage-stats.js';
import {
  accountStatus,
  channel,
  errorText,
  errorClass,
  errorEvidence,
  fence,
  id,
  instant,
  optional,
  phone,
  purpose,
  reentry,
  serviceName,
  userId,
  withDefault,
} from './fields.js';

const timeoutMinutes = withDefault(z.int().min(1).max(1440), 30).describe('Length of the lease, minutes');

export const allocateRequest = z.strictObject({
  user_id: userId,
  purpose,
  service_name: serviceName,
  preferred_account_id: optional(id),
  preferred_mode: withDefault(z.enum(['prefer', 'require']), 'require').describe(
    'require: the preferred account or PREFERRED_UNAVAILABLE; prefer: another account will do',
  ),
  timeout_minutes: timeoutMinutes,
  target_channel_id: optional(channel),
  wait_ms: withDefault(z.int().min(0).max(60_000), 0).describe(
    'How long to wait for an account that is busy, milliseconds',
  ),
  include_session: withDefault(z.boolean(), true),
});

export const allocateReply = z.strictObject({
  allocation: z.strictObject({
    account_id: id,
    user_id: userId,
    phone,
    session_data: z
      .string()
      .nullable()
      .describe('null when include_session is false, or when a repeat comes after the lease has ended'),
    allocated_at: instant,
    allocated_by: serviceName,
    purpose,
    expires_at: instant,
    lease_id: id,
    fence,
    limits: z.strictObject({
      daily_invite_limit: z.int().nullable(),
      daily_message_limit: z.int().nullable(),
      contacts_daily_limit: z.int().nullable(),
      per_channel_invite_limit: z.int().nullable(),
      max_per_channel_total: z.int().nullable(),
      reentry,
    }),
    current_usage: z.strictObject({ invites_today: z.int(), messages_today: z.int(), contacts_today: z.int() }),
    selection: z.strictObject({
      reason: z.enum(['preferred', 'best_available']),
      preferred_honoured: z.boolean().optional(),
      candidates: z.int().describe('How many free accounts were considered'),
    }),
    metadata: z
      .record(z.string(), z.unknown())
      .describe('Metadata registered with the account, such as its proxy; empty when a repeat comes after the lease'),
    ended_at: instant
      .optional()
      .describe('Present when a repeat comes after the lease has ended: the caller does not hold the account any more'),
  }),
});

export const renewRequest = z.strictObject({
  account_id: id,
  service_name: serviceName,
  lease_id: id,
  fence,
  timeout_minutes: timeoutMinutes,
});
export const renewReply = z.strictObject({ expires_at: instant, fence });

export const releaseRequest = z.strictObject({
  account_id: id,
  service_name: serviceName,
  lease_id: optional(id),
  fence: optional(fence),
  usage_stats: usageStats,
});
export const releaseReply = z.strictObject({
  message: z.string(),
  released_at: instant,
  counted: z
    .strictObject({ invites: z.int(), messages: z.int(), contacts: z.int() })
    .describe('The part of usage_stats that was not acquired or recorded before: this release added it'),
  fence,
  ignored: z
    .array(z.string())
    .optional()
    .describe(
      'The parts of usage_stats that could not be used: unknown fields, and channels that cannot be read (they are charged under their own text). At most 20',
    ),
});

export const releaseAllRequest = z.strictObject({
  service_name: serviceName,
  force: optional(z.boolean()).describe('Accepted from older callers; changes nothing'),
});
export const releaseAllReply = z.strictObject({
  released_count: z.int().describe('Leases that were open and are not any more'),
  released_at: instant,
});

export const errorRequest = z
  .strictObject({
    account_id: id,
    error_type: optional(errorText),
    error_message: optional(errorText),
    error_code: optional(z.union([z.int(), errorText])),
    seconds: optional(z.number().min(0).max(1_000_000_000)).describe('The wait Telegram asked for, seconds'),
    context: optional(z.record(z.string(), z.unknown())).describe('Whatever helps the caller; it is not kept'),
    service_name: optional(serviceName),
    lease_id: optional(id),
    fence: optional(fence),
  })
  .refine(
    (body) => body.error_type !== undefined || body.error_message !== undefined || body.error_code !== undefined,
    {
      path: ['error_type'],
      message: 'one of error_type, error_message, error_code is required',
    },
  )
  .meta({
    description: 'One of error_type, error_message, error_code is required',
    anyOf: ['error_type', 'error_message', 'error_code'].map((field) => ({ required: [field] })),
  });

export const ERROR_ACTIONS = ['none', 'error_counted', 'wait_started', 'blocked', 'disabled'] as const;
export type ErrorAction = (typeof ERROR_ACTIONS)[number];
export const errorReply = z.strictObject({
  result: z.strictObject({
    account_id: id,
    error_type: z.string().describe('As reported, at most 200 characters of it, or the Telegram name found'),
    classified_as: errorClass,
    action_taken: z.enum(ERROR_ACTIONS),
    new_status: accountStatus,
    recovery_time: instant
      .nullable()
      .describe('When the account is active again by itself; null: now, or only by an operator'),
    should_retry: z.boolean().describe('Whether the same request, on this account, may succeed later'),
    message: z.string(),
    evidence: z
      .strictObject({
        decided_by: errorEvidence.describe('The kind of evidence that decided, from a whole name to nothing known'),
        found: z
          .string()
          .nullable()
          .describe("The finding: a name, a sentence or a code of Telegram's, never the reported text"),
      })
      .describe('Why the error was classified as it was'),
  }),
});
