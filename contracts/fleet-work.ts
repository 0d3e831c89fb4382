import { z } from 'zod';
import { reason } from './admin.js';
import { FAILURE_CODES } from './failures.js';
import { accountStatus, disabledReason, id, instant, optional, serviceName, userId, withDefault } from './fields.js';

/** Operators' work on many accounts at once, and the removal of one. */

/** More accounts are not worked on in one request. */
export const MAX_BULK = 10_000;

const filter = z
  .strictObject({
    user_id: optional(userId),
    status: optional(accountStatus),
    disabled_reason: optional(disabledReason).describe('Accounts that are disabled for this'),
    leased_by: optional(serviceName).describe('Accounts that this service has'),
    account_ids: optional(z.array(id).min(1).max(MAX_BULK)),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), 'needs at least one condition')
  .describe('Accounts that meet every condition given; at least one is needed');

export const BULK_ACTIONS = ['recover', 'activate', 'drain', 'disable', 'force-release'] as const;

export const bulkRequest = z.strictObject({
  filter,
  action: z
    .enum(BULK_ACTIONS)
    .describe(
      'recover: as admin.recover. activate, drain, disable: as admin.set-status, without force. force-release: as admin.force-release',
    ),
  reason,
  dry_run: withDefault(z.boolean(), false).describe('Tells what would be done, and does nothing'),
  expected_count: optional(z.int().min(0)).describe(
    'How many accounts are expected to match; where another number does, nothing is done: COUNT_CHANGED',
  ),
});

export const bulkReply = z.strictObject({
  matched: z.int(),
  changed: z.int().describe('Accounts that are in another condition than before, or were taken from their holder'),
  unchanged: z.int(),
  failed: z
    .array(z.strictObject({ account_id: id, code: z.enum(FAILURE_CODES) }))
    .describe('Accounts on which nothing was done, and why'),
});

export const removeRequest = z.strictObject({ account_id: id, reason });
export const removeReply = z.strictObject({
  removed_at: instant.describe('From then on the account is nowhere but in its history; its session is erased'),
});
