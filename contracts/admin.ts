import { z } from 'zod';
import {
  accountStatus,
  disabledReason,
  fence,
  givenInstant,
  givenPhone,
  id,
  instant,
  optional,
  serviceName,
  userId,
  withDefault,
} from './fields.js';
import { standing } from './registered-standing.js';
import { printable } from './usage-stats.js';

const accountFields = z.strictObject({
  account_id: optional(id).describe(
    'Kept as the id of a new account; refused where another account has it, and where that account was removed',
  ),
  user_id: userId,
  phone: optional(givenPhone).describe(
    '5 to 20 digits, with or without a leading +; punctuation between them does not count. Absent: the account is known by the key of its session',
  ),
  session_data: z.string().max(4096).describe('A Telethon, GramJS or Pyrogram session string of a user account'),
  metadata: optional(z.record(z.string().max(100), z.unknown())).describe(
    'Kept with the account, such as its proxy; every holder of the account gets it',
  ),
  ...standing,
});
const accountToRegister = accountFields.superRefine(({ status, ...given }, context) => {
  const needed = status === 'flood_wait' ? 'flood_wait_until' : status === 'blocked' ? 'blocked_until' : null;
  if (needed !== null && given[needed] === undefined)
    context.addIssue({ code: 'custom', path: [needed], message: `is required with the status ${String(status)}` });
});
type AccountToRegister = z.output<typeof accountToRegister>;

/** Why an account is not registered. */
export interface RowFault {
  /** The account's field at fault, as the request names it; null where the row is no object. */
  field: string | null;
  reason: string;
}

/** A faulty account is left to its own answer: it must not keep the others of the request out. */
const judgedRow = z
  .unknown()
  .transform((given): (AccountToRegister & { fault?: never }) | { fault: RowFault } => {
    const { data, error } = accountToRegister.safeParse(given);
    if (data !== undefined) return data;
    const [issue] = error.issues;
    const [field] = issue?.path ?? [];
    if (issue?.code === 'unrecognized_keys') {
      const name = printable(issue.keys[0] ?? '');
      if (field === undefined) return { fault: { field: name, reason: `${name}: is not a field of an account` } };
      return {
        fault: {
          field: String(field),
          reason: `${issue.path.map(String).join('.')}: ${name} is not one of its fields`,
        },
      };
    }
    if (field === undefined) return { fault: { field: null, reason: 'must be an object' } };
    return {
      fault: { field: String(field), reason: `${issue?.path.map(String).map(printable).join('.')}: ${issue?.message}` },
    };
  })
  .meta(jsonSchemaOf(accountToRegister)) as z.ZodType<
  (AccountToRegister & { fault?: never }) | { fault: RowFault },
  z.input<typeof accountToRegister>
>;

function jsonSchemaOf(schema: z.ZodType): z.core.JSONSchema.JSONSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  return described;
}

export const registerRequest = z.strictObject({
  accounts: z
    .array(judgedRow)
    .min(1)
    .max(1000)
    .describe('Each is judged by itself: a faulty one is rejected in the reply, and the others are registered'),
});
export const registerReply = z.strictObject({
  accounts: z.array(
    z.strictObject({
      index: z.int().describe('Position in the request, from 0'),
      account_id: id.optional(),
      outcome: z.enum(['created', 'updated', 'rejected']),
      reason: z.string().optional().describe('Why it was rejected'),
      field: z.string().optional().describe('The field at fault, where it is one'),
    }),
  ),
});

/** The reason that an operator writes into the history; shorter than any session string, so that none can get there. */
const note = z
  .string()
  .min(1)
  .max(300)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must be one line of text');
export const reason = note.describe('Why, for the history of the account: 1 to 300 characters, no secrets');

/** An account after an operator's decision. A decision that changes nothing is a success: `status` tells how it stands. */
const statusAfter = z.strictObject({
  account_id: id,
  status: accountStatus,
  previous_status: accountStatus,
  disabled_reason: disabledReason.nullable().describe('null unless disabled'),
  recovery_time: instant
    .nullable()
    .describe('When its waits end and it can act again; null: it waits for nothing, or is disabled'),
  changed: z.boolean().describe('Whether the account is in another condition than before'),
});

export const setStatusRequest = z.strictObject({
  account_id: id,
  status: z
    .enum(['active', 'disabled', 'draining'])
    .describe(
      'active: ends disabled and draining, whatever the reason; its waits stand unless force is set. disabled: until an operator acts; a ban stays a ban. draining: keeps its lease and gets no new one; a disabled account stays disabled',
    ),
  reason,
  force: withDefault(z.boolean(), false).describe('With active: ends the waits too'),
});
export const setStatusReply = statusAfter;

export const reauthorizeRequest = z.strictObject({
  account_id: id,
  session_data: z.string().max(4096).describe('A session string whose key no other account has'),
});
export const reauthorizeReply = statusAfter;

export const recoverRequest = z.strictObject({
  account_id: id,
  reason,
  force: withDefault(z.boolean(), false).describe('Recovers a disabled account too, whatever it is disabled for'),
});
export const recoverReply = statusAfter;

export const scheduleRecoveryRequest = z.strictObject({
  account_id: id,
  recovery_time: givenInstant.describe(
    'When the present wait ends, sooner or later than it would: ISO 8601 with an offset or Z; a time in the past means now',
  ),
  recovery_type: optional(note).describe('Kept in the history, and nothing else'),
  reason: optional(reason),
});
export const scheduleRecoveryReply = statusAfter.extend({
  recovery_time: instant.describe('When the wait ends, or has just ended'),
});

export const forceReleaseRequest = z.strictObject({ account_id: id, reason });
export const forceReleaseReply = z.strictObject({
  account_id: id,
  released: z.boolean().describe('false: nobody held the account, and nothing was changed'),
  released_from: serviceName.nullable().describe('The service that held it'),
  released_at: instant.nullable(),
  fence,
});
