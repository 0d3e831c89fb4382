import { z } from 'zod';
import { ENVELOPE } from './envelope.js';
import { normaliseChannel } from './normalise-channel.js';

/** An optional field; `null` means absent. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);

/** An optional field with the value it takes when it is absent or `null`. */
export const withDefault = <T extends z.ZodType>(schema: T, value: z.output<T>) =>
  schema.nullish().transform((given): z.output<T> => given ?? value);

/** Any UUID, whatever its version; compared in lower case. */
export const id = z.guid().toLowerCase().describe('UUID');

/** An instant: ISO 8601, UTC, milliseconds. */
export const instant = z.iso.datetime().describe('ISO 8601, UTC, milliseconds');

/** Instants that every store keeps and the contract can write. */
const FIRST_INSTANT = '0001-01-01T00:00:00.000Z';
const LAST_INSTANT = '9999-12-31T23:59:59.999Z';

/** An instant given by a caller: ISO 8601 with any offset. */
export const givenInstant = z.iso
  .datetime({ offset: true })
  .refine(
    (given) => Date.parse(given) >= Date.parse(FIRST_INSTANT) && Date.parse(given) <= Date.parse(LAST_INSTANT),
    'must lie in the years 1 to 9999, UTC',
  )
  .describe('ISO 8601 with an offset or Z');

/** The user who owns accounts; an integer of the company's own numbering. */
export const userId = z.int().min(0).describe('The user who owns the accounts: an integer, 0 or more');

/** An account's phone number. */
export const phone = z.string().nullable().describe('null: the account was registered without one');

/** Spaces, brackets, dots, slashes and dashes, as people write them between the digits of a phone number. */
const PHONE_PUNCTUATION = /[\s().\/\u00ad\u2010-\u2015\u2212-]/g;

/** A phone number as people write it, without its punctuation. */
export const givenPhone = z
  .string()
  .max(64)
  .overwrite((given) => given.replaceAll(PHONE_PUNCTUATION, ''))
  .regex(/^\+?[0-9]{5,20}$/, 'must be 5 to 20 digits, with or without a leading +')
  .describe('5 to 20 digits, with or without a leading +; punctuation between them does not count');

/** The calling service. */
export const serviceName = z
  .string()
  .regex(/^[a-z0-9._-]{1,100}$/, 'must be 1 to 100 characters of a-z, 0-9, ".", "_", "-"')
  .describe('The calling service: 1 to 100 characters of a-z 0-9 . _ -');

/** Free text of at most `max` UTF-16 units. JSON can write what no store keeps: NUL, and half of a surrogate pair. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((given) => !/[\0\p{Surrogate}]/u.test(given), 'must hold neither NUL nor half of a surrogate pair');

/** Characters that no store keeps: NUL, and half of a surrogate pair. */
const UNKEEPABLE = /[\0\p{Surrogate}]/gu;

/**
 * Free text that is read and not kept, of at most `max` UTF-16 units. Characters that no store keeps are replaced, not refused: a
 * library that cuts a message within an emoji must not lose what the message says of the account.
 */
export const unkeptText = (max: number) =>
  z
    .string()
    .max(max)
    .overwrite((given) => given.replaceAll(UNKEEPABLE, '\ufffd'));

/** No bound of its own: a report is worth more than a short text, and the body's bound holds. */
export const errorText = unkeptText(ENVELOPE.maxBodyBytes).describe(
  'As the library prints it, its traceback included; of more than 16,384 characters both ends are read, and the waits between them',
);

/** How often something was done: a whole number. */
export const count = z.int().min(0).max(100_000);

/** How many entries a list holds at most. A caller that asks for more than `most` gets `most`. */
export const pageLimit = (most: number, usual: number) =>
  withDefault(
    z
      .int()
      .min(1)
      .transform((given) => Math.min(given, most)),
    usual,
  );

const CHANNEL_RULE = 'must be a channel: an id, @name, name or t.me link';

/**
 * A channel as callers name it (id, `@name`, `name`, `t.me` link); parsed to one lower-case key, so that
 * `@Foo`, `foo` and `https://t.me/Foo` are one channel.
 */
export const channel = z
  .union([z.string().min(1).max(256), z.int()])
  .transform((given, context) => {
    const key = normaliseChannel(String(given));
    if (key !== null) return key;
    context.addIssue({ code: 'custom', message: CHANNEL_RULE });
    return z.NEVER;
  })
  .describe('A channel: id, @name, name or t.me link');

/** How fast a lease's holder is told apart from an earlier one: rises by one with every grant. */
export const fence = z.int().min(0).describe('Rises by one with every grant of the account');

export const ACTION_TYPES = ['invite', 'message', 'add_contact', 'join_channel', 'leave_channel', 'parse'] as const;
/** The actions of an account on Telegram, as far as limits are concerned. */
export const actionType = z.enum(ACTION_TYPES);
export type ActionType = z.output<typeof actionType>;

export const PURPOSES = [
  'invite_campaign',
  'message_campaign',
  'contact_import',
  'parsing',
  'channel_management',
  'general',
] as const;
/** The purpose of a lease; it decides which limits must have room. */
export const purpose = z.enum(PURPOSES);
export type Purpose = z.output<typeof purpose>;

export const ACCOUNT_STATUSES = ['active', 'flood_wait', 'blocked', 'draining', 'disabled'] as const;
export const accountStatus = z.enum(ACCOUNT_STATUSES);
export type AccountStatus = z.output<typeof accountStatus>;

export const DISABLED_REASONS = ['banned', 'deactivated', 'frozen', 'needs_reauth', 'manual'] as const;
/** Why an account is `disabled`. */
export const disabledReason = z.enum(DISABLED_REASONS);
export type DisabledReason = z.output<typeof disabledReason>;

export const ERROR_CLASSES = [
  'flood_wait',
  'premium_wait',
  'slow_mode',
  'takeout',
  'peer_flood',
  'restricted',
  'banned',
  'deactivated',
  'auth',
  'privacy',
  'target',
  'permission',
  'invalid_request',
  'migrate',
  'transient',
  'other',
] as const;
/** The class of a Telegram error. */
export const errorClass = z.enum(ERROR_CLASSES);
export type ErrorClass = z.output<typeof errorClass>;

export const ERROR_EVIDENCE = [
  'name',
  'transport_code',
  'sentence',
  'restriction',
  'class_name',
  'spelling',
  'whole_text',
  'error_code',
  'error_type',
  'name_family',
  'wording',
  'bare_code',
  'code',
  'nothing',
] as const;
/** The kind of evidence that decided an error's class, the surest first (docs/operating.md tells what each is). */
export const errorEvidence = z.enum(ERROR_EVIDENCE);
export type ErrorEvidence = z.output<typeof errorEvidence>;

/** Tells why an account's daily limits are lower than the policy's. */
export const reentry = z
  .strictObject({
    until: instant.describe('The first midnight (UTC) from which on the full limits hold'),
    daily_percent: z.int().describe('The part of each daily limit that holds until then'),
  })
  .optional()
  .describe('Present in the first days after a block: the account is used gently, with reduced daily limits');
