import { z } from 'zod';
import { ACTION_TYPES, type ActionType, type Purpose } from '../../../contracts/fields.js';
import { describeFileIssue, type FileIssue } from '../describe-file-issue.js';

/** The limits of one action on one account (contract, section 6). `null`: no such limit; 0: never allowed. */
export interface ActionPolicy {
  /** Least time between two actions. */
  readonly cooldownSeconds: number | null;
  /** How many actions one burst may hold. */
  readonly burstLimit: number | null;
  /** Actions that come sooner than this after the one before belong to one burst; also the pause after a full one. */
  readonly burstCooldownSeconds: number | null;
  /** In any 60 minutes. */
  readonly hourlyLimit: number | null;
  /** Per UTC date. */
  readonly dailyLimit: number | null;
  /** Per UTC date and target channel. */
  readonly perChannelDaily: number | null;
  /** Per target channel, ever. */
  readonly perChannelTotal: number | null;
}

export type LimitsPolicy = Readonly<Record<ActionType, ActionPolicy>>;

const joinOrLeave: ActionPolicy = {
  cooldownSeconds: 120,
  burstLimit: 3,
  burstCooldownSeconds: 300,
  hourlyLimit: 5,
  dailyLimit: 20,
  perChannelDaily: null,
  perChannelTotal: null,
};

/** The defaults of contract section 6. */
export const DEFAULT_LIMITS: LimitsPolicy = {
  invite: {
    cooldownSeconds: 120,
    burstLimit: 3,
    burstCooldownSeconds: 300,
    hourlyLimit: 5,
    dailyLimit: 30,
    perChannelDaily: 15,
    perChannelTotal: 200,
  },
  message: {
    cooldownSeconds: 60,
    burstLimit: 5,
    burstCooldownSeconds: 180,
    hourlyLimit: 10,
    dailyLimit: 30,
    perChannelDaily: null,
    perChannelTotal: null,
  },
  add_contact: {
    cooldownSeconds: 300,
    burstLimit: 2,
    burstCooldownSeconds: 600,
    hourlyLimit: 3,
    dailyLimit: 15,
    perChannelDaily: null,
    perChannelTotal: null,
  },
  parse: {
    cooldownSeconds: 2,
    burstLimit: 20,
    burstCooldownSeconds: 60,
    hourlyLimit: 120,
    dailyLimit: 5000,
    perChannelDaily: null,
    perChannelTotal: null,
  },
  join_channel: joinOrLeave,
  leave_channel: joinOrLeave,
};

/**
 * The actions whose counters in a channel say nothing once their day is over, since nothing limits their total. Never
 * invites: a policy that lifts their limit for a while must not lose what they add up to.
 */
export const actionsWithoutTotal = (policy: LimitsPolicy): ActionType[] =>
  ACTION_TYPES.filter((action) => action !== 'invite' && policy[action].perChannelTotal === null);

/** The actions an account is wanted for; one of them with room will do. None: no limit bears on the purpose. */
export const PURPOSE_ACTIONS: Readonly<Record<Purpose, readonly ActionType[]>> = {
  invite_campaign: ['invite'],
  message_campaign: ['message'],
  contact_import: ['add_contact'],
  parsing: ['parse'],
  channel_management: ['join_channel', 'leave_channel'],
  general: [],
};

/** Every instant of the last hour is kept (usage-window.ts), so the hourly limit bounds what a row holds. */
const MAX_HOURLY = 10_000;
/** Fits the columns that count. */
const MAX_COUNT = 1_000_000_000;
/** A year; a longer pause is a mistake in the unit. */
const MAX_SECONDS = 31_536_000;

const seconds = z.number().min(0).max(MAX_SECONDS).nullable().optional();
const limit = (max: number) => z.int().min(0).max(max).nullable().optional();

const overrides = z.strictObject({
  cooldown_seconds: seconds,
  burst_limit: limit(MAX_COUNT),
  burst_cooldown_seconds: seconds,
  hourly_limit: limit(MAX_HOURLY),
  daily_limit: limit(MAX_COUNT),
  per_channel_daily: limit(MAX_COUNT),
  per_channel_total: limit(MAX_COUNT),
});

const overridesByAction = {
  invite: overrides.optional(),
  message: overrides.optional(),
  add_contact: overrides.optional(),
  join_channel: overrides.optional(),
  leave_channel: overrides.optional(),
  parse: overrides.optional(),
} satisfies Record<ActionType, z.ZodType>;

const limitsFile = z.strictObject({ ...overridesByAction, count_failed_attempts: z.boolean().default(true) });

export type ParsedLimits =
  | {
      ok: true;
      policy: LimitsPolicy;
      /** Whether an attempt reported as failed counts like a successful one: Telegram sees the attempt. */
      countFailedAttempts: boolean;
    }
  | { ok: false; issues: FileIssue[] };

/**
 * Reads a limits file, already parsed as JSON: by action, the fields that differ from `DEFAULT_LIMITS`; `null` means
 * no such limit. `{}` gives the defaults. Refuses unknown actions and fields, and names every fault at once.
 */
export function parseLimits(json: unknown): ParsedLimits {
  const parsed = limitsFile.safeParse(json);
  if (!parsed.success) {
    const namesAt = (depth: number) => Object.keys(depth === 0 ? limitsFile.shape : overrides.shape);
    return { ok: false, issues: parsed.error.issues.map((issue) => describeFileIssue(issue, namesAt)) };
  }
  const { count_failed_attempts: countFailedAttempts, ...given } = parsed.data;
  const policy = Object.fromEntries(
    ACTION_TYPES.map((action) => [action, override(DEFAULT_LIMITS[action], given[action] ?? {})]),
  ) as Record<ActionType, ActionPolicy>;

  const issues = ACTION_TYPES.filter(
    (action) => policy[action].burstLimit !== null && policy[action].burstCooldownSeconds === null,
  ).map((action) => ({
    path: `${action}.burst_cooldown_seconds`,
    message: 'burst_limit needs a pause: for no burst rule set burst_limit to null',
  }));
  return issues.length > 0 ? { ok: false, issues } : { ok: true, policy, countFailedAttempts };
}

function override(base: ActionPolicy, given: z.output<typeof overrides>): ActionPolicy {
  /** Absent keeps the default; `null` lifts the limit. */
  const pick = (value: number | null | undefined, otherwise: number | null) =>
    value === undefined ? otherwise : value;
  return {
    cooldownSeconds: pick(given.cooldown_seconds, base.cooldownSeconds),
    burstLimit: pick(given.burst_limit, base.burstLimit),
    burstCooldownSeconds: pick(given.burst_cooldown_seconds, base.burstCooldownSeconds),
    hourlyLimit: pick(given.hourly_limit, base.hourlyLimit),
    dailyLimit: pick(given.daily_limit, base.dailyLimit),
    perChannelDaily: pick(given.per_channel_daily, base.perChannelDaily),
    perChannelTotal: pick(given.per_channel_total, base.perChannelTotal),
  };
}
