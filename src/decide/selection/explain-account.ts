import type { LimitReason } from '../../../contracts/actions.js';
import type { AccountStatus, ActionType, DisabledReason, ErrorClass, Purpose } from '../../../contracts/fields.js';
import { DAY_MS } from '../time-units.js';

/** The cause of the wait, the block, the draining or the disabling of an account. */
export interface Restriction {
  readonly errorClass: ErrorClass | null;
  readonly telegramError: string | null;
  /** Why, where an operator decided it. */
  readonly reason: string | null;
}

/** The limit that keeps an account back the longest. Instants are epoch milliseconds. */
export interface FailingLimit {
  readonly rule: Exclude<LimitReason, 'account_status'>;
  readonly actionType: ActionType;
  readonly used: number | null;
  readonly limit: number | null;
  /** Null: never by itself. */
  readonly passesAt: number | null;
}

/** How an account stands, as far as one who asks for it is concerned. */
export interface Situation {
  readonly purpose: Purpose;
  readonly status: AccountStatus;
  readonly disabledReason: DisabledReason | null;
  /** When its waits end; null: it has none. */
  readonly recoversAt: number | null;
  readonly leasedBy: string | null;
  readonly leasedUntil: number | null;
  readonly restriction: Restriction | null;
  readonly failing: FailingLimit | null;
  readonly grantable: boolean;
}

/** Says in one sentence why an account can be granted or not; what no waiting ends comes first, then what lasts longest. */
export function explainInWords(situation: Situation, now: number): string {
  const { status, leasedBy, leasedUntil, failing, grantable, purpose } = situation;
  const held =
    leasedBy === null || leasedUntil === null ? null : `held by ${leasedBy} until ${clockTime(leasedUntil, now)}`;
  if (status !== 'active') return sentence([restricted(situation, now), ...(held === null ? [] : [`it is ${held}`])]);
  if (held !== null) return sentence([capital(held)]);
  if (grantable) return sentence([`Free, and can be granted for ${purpose} now`]);
  return sentence([failing === null ? `Cannot be granted for ${purpose} now` : limited(failing, now)]);
}

function restricted({ status, disabledReason, recoversAt, restriction }: Situation, now: number): string {
  const until = recoversAt === null ? '' : ` until ${clockTime(recoversAt, now)}`;
  const why = because(restriction);
  switch (status) {
    case 'active':
      return 'Active';
    case 'flood_wait':
      return `In a flood wait${until}${why}`;
    case 'blocked':
      return `Blocked${until}${why}`;
    case 'draining':
      return `Draining, so it gets no new lease${why}`;
    case 'disabled':
      return `${DISABLED[disabledReason ?? 'manual']}${why}`;
    default:
      return status satisfies never;
  }
}

const DISABLED: Readonly<Record<DisabledReason, string>> = {
  banned: 'Banned by Telegram',
  deactivated: 'Deactivated at Telegram',
  frozen: 'Frozen by Telegram',
  needs_reauth: 'Disabled until it gets a fresh session',
  manual: 'Disabled',
};

function because(restriction: Restriction | null): string {
  if (restriction === null) return '';
  const { errorClass, telegramError, reason } = restriction;
  // The X in a name such as FLOOD_WAIT_X stands for the seconds, which the end of the wait tells better.
  const name = telegramError?.replace(/_X$/, '');
  if (name !== undefined) return ` because Telegram answered ${name} (${errorClass ?? 'unclassified'})`;
  if (errorClass !== null) return ` because of an error of the class ${errorClass}`;
  return reason === null ? '' : `, as an operator decided: ${reason.replace(/[.\s]+$/, '')}`;
}

function limited({ rule, actionType, used, limit, passesAt }: FailingLimit, now: number): string {
  const from = passesAt === null ? 'waiting does not help' : `there is room again at ${clockTime(passesAt, now)}`;
  const counts = used === null || limit === null ? '' : ` (${used} of ${limit})`;
  switch (rule) {
    case 'daily':
      return `The daily limit of ${actionType} is used up${counts}; ${from}`;
    case 'hourly':
      return `The hourly limit of ${actionType} is used up${counts}; ${from}`;
    case 'per_channel_daily':
      return `The daily limit of ${actionType} in this channel is used up${counts}; ${from}`;
    case 'per_channel_total':
      return `The limit of ${actionType} in this channel, which counts for ever, is used up${counts}; ${from}`;
    case 'cooldown':
      return `Rests after its last ${actionType}; ${from}`;
    case 'burst':
      return `Rests after a burst of ${actionType}${counts}; ${from}`;
    default:
      return rule satisfies never;
  }
}

/** `14:05 UTC`; on another day with its date. A minute that has begun counts as over, so nobody comes too early. */
export function clockTime(at: number, now: number): string {
  const text = new Date(Math.ceil(at / 60_000) * 60_000).toISOString();
  const isToday = Math.floor(Date.parse(text) / DAY_MS) === Math.floor(now / DAY_MS);
  return `${isToday ? '' : `${text.slice(0, 10)} `}${text.slice(11, 16)} UTC`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const sentence = (parts: readonly string[]): string => `${parts.join('; ')}.`;
