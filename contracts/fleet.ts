import { z } from 'zod';
import { listReply } from './lists.js';
import { LIMIT_REASONS } from './actions.js';
import { FAILURE_CODES } from './failures.js';
import {
  accountStatus,
  actionType,
  channel,
  disabledReason,
  errorClass,
  givenPhone,
  id,
  instant,
  optional,
  pageLimit,
  phone,
  purpose,
  serviceName,
  userId,
  withDefault,
} from './fields.js';

export const accountsRequest = z.strictObject({
  user_id: optional(userId).describe('Absent: the whole fleet, as far as the caller may see it'),
  purpose: optional(purpose).describe('Judges whether an account is available by the limits of this purpose too'),
  target_channel_id: optional(channel).describe('Judges by the limits in this channel too'),
  status: optional(accountStatus).describe('Lists only the accounts in this status'),
  only_available: withDefault(z.boolean(), false).describe('Lists only the accounts that are available'),
  disabled_reason: optional(disabledReason).describe('Lists only the accounts that are disabled for this'),
  leased_by: optional(serviceName).describe('Lists only the accounts that this service has'),
  phone: optional(givenPhone).describe('Lists only the account with this phone number'),
  search: optional(z.string().trim().min(1).max(100)).describe(
    'An account id or its beginning, a phone number or a part of it of 4 digits or more, or the name of the service that has the account',
  ),
  include_unavailable: optional(z.boolean()).describe('Sent by older callers: false means only_available'),
  limit: pageLimit(500, 100).describe('How many accounts to list at most; more than 500 counts as 500'),
  cursor: optional(z.string().regex(/^[0-9a-f]{32}$/, 'must be a next_cursor of this query')).describe(
    'next_cursor of the page before',
  ),
});

/** The cause of an account's present wait, block, draining or disabling. */
export const restrictedBy = z
  .strictObject({
    classified_as: errorClass.nullable().describe('Class of the error behind it; null: none is known'),
    telegram_error: z.string().nullable().describe("Telegram's name of that error; null: none was found"),
    reason: z.string().nullable().describe('Why, where an operator decided it'),
  })
  .nullable()
  .describe('null: the account is active, or nothing is known any more');

const accountSummary = z.strictObject({
  account_id: id,
  user_id: userId,
  status: accountStatus,
  disabled_reason: disabledReason.nullable(),
  is_available: z
    .boolean()
    .describe('Active, not leased and, with a purpose, with room for it: account.allocate could grant it now'),
  available_at: instant
    .nullable()
    .describe('When it will be available if nothing more is done; null: it is, or waiting does not help'),
  leased_by: serviceName.nullable(),
  leased_until: instant.nullable(),
  error_count: z
    .int()
    .describe(
      'Errors of the last 24 hours (ERROR_WINDOW_HOURS) since its last recovery; leases that end well lower it',
    ),
  last_used_at: instant.nullable(),
  used_today: z.record(actionType, z.int()),
  phone,
  used_invites_today: z.int(),
  used_messages_today: z.int(),
  contacts_today: z.int(),
  flood_wait_until: instant.nullable(),
  blocked_until: instant.nullable(),
  metadata: z.record(z.string(), z.unknown()).describe('Metadata registered with the account, such as its proxy'),
  restricted_by: restrictedBy,
  recovery_at: instant.nullable().describe('When its waits end; null: it waits for nothing, or is disabled'),
});

export const accountsReply = z.strictObject({
  user_id: userId.nullable().describe('As asked for; null: the whole fleet'),
  purpose: purpose.describe('As asked for; else general'),
  total_accounts: z
    .int()
    .describe(
      'All accounts of the user, whatever the filters; so the other totals. Those of a large fleet may be some minutes old',
    ),
  free_accounts: z.int().describe('Active and not leased, whatever their limits'),
  leased_accounts: z.int().describe('Active and leased'),
  active_accounts: z.int().describe('Active, leased or not'),
  available_now: z
    .int()
    .describe(
      'Free accounts that account.allocate could grant now for the purpose and in the channel; judged are the first 5,000. For the whole fleet: all free accounts, whatever their limits',
    ),
  aggregates: z.strictObject({
    status_distribution: z.record(accountStatus, z.int()),
    capacity_today: z
      .record(actionType, z.int().nullable())
      .describe(
        'How often each action is still possible until midnight (UTC) by the daily limits, and those of the channel, over the accounts that can act before then; null: unlimited',
      ),
    capacity_today_sum: z.int().nullable().describe('Invites that are left today by the daily limit; null: unlimited'),
    capacity_today_by_channel: z
      .int()
      .nullable()
      .describe('Invites that are left today in the channel; null: no channel or no user is given, or unlimited'),
    can_invite_in_channel_true: z
      .int()
      .nullable()
      .describe('Free accounts that may invite in the channel at this instant; null: no channel or no user is given'),
  }),
  accounts: z.array(accountSummary).describe('In the order of their ids; a page may hold fewer than limit'),
  ...listReply,
  total: listReply.total.describe(
    'Accounts that pass the filters, on whatever page; of only_available the free and active ones',
  ),
});

export const explainRequest = z
  .strictObject({
    user_id: optional(userId),
    purpose: optional(purpose),
    target_channel_id: optional(channel),
    request_id: optional(z.string().min(1).max(255)).describe(
      'Instead of the others: tells why that allocation was answered as it was. The id of the request, such as its correlation_id or X-Request-ID, or its message_id; kept for 24 hours',
    ),
  })
  .superRefine(({ request_id: requestId, ...wish }, context) => {
    const fields =
      requestId === undefined
        ? (['user_id', 'purpose'] as const)
        : (['user_id', 'purpose', 'target_channel_id'] as const);
    for (const field of fields) {
      if ((wish[field] === undefined) !== (requestId === undefined)) continue;
      const message = requestId === undefined ? 'is required without request_id' : 'must be left out with request_id';
      context.addIssue({ code: 'custom', path: [field], message });
    }
  })
  .meta({
    description: 'Either user_id and purpose, or request_id',
    anyOf: [{ required: ['user_id', 'purpose'] }, { required: ['request_id'] }],
  });

export const EXPLAINED_RULES = ['lease', ...LIMIT_REASONS] as const;

const explainedRule = z.strictObject({
  rule: z
    .enum(EXPLAINED_RULES)
    .describe('lease: nobody has the account; account_status: it is active; the others: limits of an action'),
  action_type: actionType.optional().describe('The action that the limit is of'),
  passed: z.boolean(),
  passes_at: instant
    .nullable()
    .describe('When it would pass if nothing more is done; null: it does, or never by itself'),
  used: z.int().optional().describe('Present where the limit counts'),
  limit: z.int().nullable().optional().describe('null: the policy sets none'),
});

const explainedRequest = z
  .strictObject({
    request_id: z.string(),
    message_id: id,
    caller: z.string().nullable().describe('Identity that the broker or the HTTP door had checked; null: none'),
    answered_at: instant,
    user_id: userId,
    purpose,
    service_name: serviceName,
    target_channel: z.string().nullable(),
    code: z.enum(FAILURE_CODES).nullable().describe('Why it was refused; null: an account was granted'),
    account_id: id.nullable().describe('The account that was granted'),
    lease_id: id.nullable(),
    counts: z
      .record(z.string(), z.int())
      .nullable()
      .describe("The user's accounts by what kept them back then; null: an account was granted, or there was none"),
    next_available_at: instant.nullable().describe('When an account was expected to be free; null: nobody knew'),
    summary: z.string().describe('Why it was answered so, in one sentence for a person'),
  })
  .optional()
  .describe('Present where request_id was given: the allocation as it was answered. accounts tells how they stand now');

export const explainReply = z.strictObject({
  request: explainedRequest,
  explained_at: instant.describe('The instant this is true of: now'),
  total_accounts: z.int().describe('All accounts of the user; at most 500 are explained, the free ones first'),
  accounts: z
    .array(
      z.strictObject({
        account_id: id,
        phone,
        status: accountStatus,
        leased_by: serviceName.nullable(),
        leased_until: instant.nullable(),
        restricted_by: restrictedBy,
        summary: z.string().describe('Why it can be granted or not, in one sentence for a person'),
        grantable: z
          .boolean()
          .describe(
            'Whether account.allocate could grant it now. hourly, cooldown and burst may fail: they keep no account back that can act before a lease of 30 minutes ends. One action with room will do',
          ),
        grantable_at: instant
          .nullable()
          .describe('When it would be grantable if nothing more is done; null: it is, or waiting does not help'),
        rules: z.array(explainedRule),
      }),
    )
    .describe('The grantable first, in the order in which account.allocate would take them; then by grantable_at'),
});

export const statusReply = z.strictObject({
  total_accounts: z.int(),
  healthy_accounts: z.int().describe('Active, and with few errors since the last recovery'),
  leased_accounts: z.int(),
  status_breakdown: z.record(accountStatus, z.int()),
  leases_by_service: z.record(z.string(), z.int()),
  active_accounts: z.int(),
  locked_accounts: z.int().describe('The same as leased_accounts, under the name that older callers read'),
  available_accounts: z.int().describe('Active and not leased, whatever their limits'),
  locked_by_service: z.record(z.string(), z.int()).describe('The same as leases_by_service'),
  identity: z
    .enum(['on', 'off'])
    .describe('on: callers are known and held to their rights; off: everybody who reaches a door may do everything'),
  network_is_trusted: z
    .boolean()
    .describe('identity is off, and NETWORK_IS_TRUSTED lets the HTTP door listen on every address nevertheless'),
  dependencies: z.record(
    z.string(),
    z.strictObject({
      up: z.boolean(),
      latency_ms: z.number().min(0).nullable().describe('How long its answer took, milliseconds; null: not measured'),
      detail: z.string().optional().describe('The fault, for a person'),
    }),
  ),
  generated_at: instant,
});
