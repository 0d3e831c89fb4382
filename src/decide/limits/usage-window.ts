import type { ActionPolicy } from './limits-policy.js';
import { DAY_MS, HOUR_MS } from '../time-units.js';

/** Usage of one action by one account. Instants are epoch milliseconds of the database's clock. */
export interface UsageWindow {
  /** The actions of the last 60 minutes, ascending; of more than `recentCapacity` the newest. */
  readonly recentAt: readonly number[];
  /** Actions in the latest burst, which may be over. */
  readonly burstCount: number;
  readonly lastActionAt: number | null;
  /** UTC date (YYYY-MM-DD) that `dayCount` belongs to: right at midnight without being reset. */
  readonly day: string | null;
  readonly dayCount: number;
}

/** A window as far as it can refuse one more action: of the last hour it shows only the action that fills it. */
export interface WindowBounds extends Omit<UsageWindow, 'recentAt'> {
  /** The oldest of the newest actions, of which it takes as many as the hourly limit allows; null: there are fewer, or no limit. */
  readonly hourFilledAt: number | null;
}

/** Usage of one action by one account in one channel. */
export interface ChannelUsage {
  readonly day: string | null;
  readonly dayCount: number;
  /** Ever; no reset touches it. */
  readonly total: number;
}

export const EMPTY_WINDOW: UsageWindow = { recentAt: [], burstCount: 0, lastActionAt: null, day: null, dayCount: 0 };
export const EMPTY_CHANNEL_USAGE: ChannelUsage = { day: null, dayCount: 0, total: 0 };
export const EMPTY_BOUNDS: WindowBounds = {
  hourFilledAt: null,
  burstCount: 0,
  lastActionAt: null,
  day: null,
  dayCount: 0,
};

/** Kept where the policy sets a lower hourly limit or none, so that what was used can be shown. */
const LEAST_RECENT_CAPACITY = 1000;

/** UTC date of an instant, YYYY-MM-DD; such dates compare as text. */
export const utcDay = (now: number): string => new Date(now).toISOString().slice(0, 10);

/** The first instant of the next UTC date. */
export const nextUtcMidnight = (now: number): number => (Math.floor(now / DAY_MS) + 1) * DAY_MS;

/** A length of the policy in whole milliseconds. */
export const toMs = (seconds: number): number => Math.round(seconds * 1000);

/**
 * The instant at which a window is read or written. It is never before the last action, so a clock set back opens no
 * limit: cooldown, burst, hour and date are all judged as of the last action, until the clock has caught up.
 */
export const windowTime = ({ lastActionAt }: Pick<UsageWindow, 'lastActionAt'>, now: number): number =>
  Math.max(now, lastActionAt ?? now);

/**
 * Usage on the UTC date of `now`; 0 where the count is of an earlier date. A count of a later date holds: the clock was
 * set back. Parses the date instead of formatting `now`: it is the hot path, and five times cheaper.
 */
export const dayCountOn = (usage: Pick<UsageWindow, 'day' | 'dayCount'>, now: number): number =>
  usage.day !== null && now < Date.parse(usage.day) + DAY_MS ? usage.dayCount : 0;

/** Actions that still bear on the 60 minutes before `now`: one at `t` counts until just before `t` + 60 min. */
export const recentOn = (window: UsageWindow, now: number): readonly number[] =>
  window.recentAt.filter((at) => at > now - HOUR_MS);

/** The window as far as it can refuse under the policy. Named fields: it is the hot path. */
export const boundsOf = (
  { recentAt, burstCount, lastActionAt, day, dayCount }: UsageWindow,
  { hourlyLimit }: ActionPolicy,
): WindowBounds => ({
  hourFilledAt: hourlyLimit === null || hourlyLimit === 0 ? null : (recentAt.at(-hourlyLimit) ?? null),
  burstCount,
  lastActionAt,
  day,
  dayCount,
});

/** How many actions the burst holds that an action at `now` would continue: 0 where it would begin a new one. */
export const burstOn = (
  window: Pick<UsageWindow, 'burstCount' | 'lastActionAt'>,
  policy: ActionPolicy,
  now: number,
): number =>
  window.lastActionAt !== null && now < window.lastActionAt + toMs(policy.burstCooldownSeconds ?? 0)
    ? window.burstCount
    : 0;

/** The window after `quantity` more actions at `now`. Counts what happened, whether or not it was allowed. */
export function countActions(window: UsageWindow, quantity: number, policy: ActionPolicy, now: number): UsageWindow {
  if (quantity === 0) return window;
  const at = windowTime(window, now);
  const capacity = Math.max(LEAST_RECENT_CAPACITY, policy.hourlyLimit ?? 0);
  const added = new Array<number>(Math.min(quantity, capacity)).fill(at);
  return {
    recentAt: [...recentOn(window, at), ...added].slice(-capacity),
    burstCount: burstOn(window, policy, at) + quantity,
    lastActionAt: at,
    day: utcDay(at),
    dayCount: dayCountOn(window, at) + quantity,
  };
}

/** The channel's usage after `quantity` more actions at `now`. A later date that is already counted on is kept. */
export function countInChannel(usage: ChannelUsage, quantity: number, now: number): ChannelUsage {
  if (quantity === 0) return usage;
  const today = utcDay(now);
  return {
    day: usage.day !== null && usage.day > today ? usage.day : today,
    dayCount: dayCountOn(usage, now) + quantity,
    total: usage.total + quantity,
  };
}
