import { z } from 'zod';
import { ENVELOPE } from './envelope.js';
import { normaliseChannel } from './normalise-channel.js';
import {
  CHANNEL_RULE,
  accountStatus,
  channel,
  count,
  errorClass,
  errorEvidence,
  fence,
  id,
  instant,
  optional,
  purpose,
  reentry,
  serviceName,
  unkeptText,
  userId,
  withDefault,
} from './fields.js';

const timeoutMinutes = withDefault(z.int().min(1).max(1440), 30).describe('Length of the lease, minutes');

export const allocateRequest = z.strictObject({
  user_id: userId,
  purpose,
  service_name: serviceName,
  preferred_account_id: optional(id),
  preferred_mode: withDefault(z.enum(['prefer', 'require']), 'prefer').describe(
    'prefer: another account will do; require: that account or PREFERRED_UNAVAILABLE',
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
    phone: z.string(),
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

/** Invites by channel; two spellings of one channel add up. */
const invitesByChannel = z
  .record(z.string().min(1).max(256), count)
  .transform((given, context) => {
    const byKey = new Map<string, number>();
    for (const [spelling, invites] of Object.entries(given)) {
      const key = normaliseChannel(spelling);
      if (key === null) context.addIssue({ code: 'custom', path: [spelling], message: CHANNEL_RULE });
      else byKey.set(key, (byKey.get(key) ?? 0) + invites);
    }
    return Object.fromEntries(byKey);
  })
  .describe('Invites by channel');

/** No bound of its own: a report is worth more than a short text, and the body's bound holds. */
const errorText = unkeptText(ENVELOPE.maxBodyBytes).describe(
  'As the library prints it, its traceback included; of more than 16,384 characters both ends are read, and the waits between them',
);

const usageStats = z.strictObject({
  invites_sent: withDefault(count, 0),
  messages_sent: withDefault(count, 0),
  contacts_added: withDefault(count, 0),
  success: withDefault(z.boolean(), true),
  channels_used: optional(z.array(channel).max(1000)).describe(
    'Channels invited to; without channel_usage each is charged the whole uncounted amount',
  ),
  channel_usage: optional(invitesByChannel),
  error_type: optional(errorText),
  error_message: optional(errorText),
});

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
    .describe('What this release added: the part of usage_stats that was not acquired or recorded before'),
  fence,
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
          .describe("What was found: a name, a sentence or a code of Telegram's, never the reported text"),
      })
      .describe('Why the error was classified as it was'),
  }),
});
