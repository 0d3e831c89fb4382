import type { ActionPolicy } from './limits-policy.js';
import { type ChannelUsage, dayCountOn, recentOn, toMs, type UsageWindow, utcDay, windowTime } from './usage-window.js';
import { HOUR_MS } from '../time-units.js';

/** Usage of one action at the place that the account is imported from. */
export interface EarlierUsage {
  /** On the UTC date of now. */
  readonly today: number;
  /** When each action of the last hour was, epoch milliseconds, in any order. */
  readonly lastHourAt: readonly number[];
}

/**
 * The window joined with the usage from elsewhere. An instant that both have is one action, not two: it counts as often
 * as in the side that has it more often. The greater of the two counts of the day holds. So the same import may be
 * repeated.
 */
export function takeOverUsage(
  window: UsageWindow,
  given: EarlierUsage,
  policy: ActionPolicy,
  now: number,
): UsageWindow {
  const at = windowTime(window, now);
  // An instant that lies ahead is one of a clock that goes fast: it was just now.
  const lastHour = given.lastHourAt.map((then) => Math.min(then, now)).filter((then) => then > now - HOUR_MS);
  const recentAt = unite(recentOn(window, at), lastHour);
  const lastActionAt = recentAt.at(-1) ?? window.lastActionAt;
  const ofToday = recentAt.filter((then) => utcDay(then) === utcDay(at)).length;
  const dayCount = Math.max(dayCountOn(window, at), given.today, ofToday);
  return {
    recentAt,
    burstCount: Math.max(lengthOfBurst(recentAt, policy), lastActionAt === window.lastActionAt ? window.burstCount : 0),
    lastActionAt,
    day: dayCount > 0 ? utcDay(at) : window.day,
    dayCount: dayCount > 0 ? dayCount : window.dayCount,
  };
}

/** The channel's counters with those from elsewhere: of two counts the greater holds. */
export function takeOverChannel(
  usage: ChannelUsage,
  given: { today: number; total: number },
  now: number,
): ChannelUsage {
  const dayCount = Math.max(dayCountOn(usage, now), given.today);
  const day = usage.day !== null && usage.day > utcDay(now) ? usage.day : utcDay(now);
  const total = Math.max(usage.total, given.total, dayCount);
  return dayCount > 0 ? { day, dayCount, total } : { ...usage, total };
}

/** All instants of both, ascending; one that both have counts as often as the one that has it more often. */
function unite(one: readonly number[], other: readonly number[]): number[] {
  const times = new Map<number, number>();
  for (const instants of [one, other]) {
    const own = new Map<number, number>();
    for (const at of instants) own.set(at, (own.get(at) ?? 0) + 1);
    for (const [at, count] of own) times.set(at, Math.max(times.get(at) ?? 0, count));
  }
  return [...times].sort(([a], [b]) => a - b).flatMap(([at, count]) => new Array<number>(count).fill(at));
}

/** How many actions the latest burst holds. */
function lengthOfBurst(recentAt: readonly number[], { burstCooldownSeconds }: ActionPolicy): number {
  const pauseMs = toMs(burstCooldownSeconds ?? 0);
  let length = 0;
  let before: number | null = null;
  for (const at of recentAt) {
    length = before !== null && at < before + pauseMs ? length + 1 : 1;
    before = at;
  }
  return length;
}
