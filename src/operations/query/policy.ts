import { ACTION_TYPES, type ActionType } from '../../../contracts/fields.js';
import { JOB_NAMES, type JobName } from '../../../contracts/jobs.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { type ActionPolicy, DEFAULT_LIMITS } from '../../decide/limits/limits-policy.js';
import type { BatchContext, OperationHandler } from '../../requests/handler.js';

type Numbers = ReplyBody<'query.policy'>['limits'][ActionType];

/** `query.policy`: what the service goes by, as its settings have it. */
export const policy: OperationHandler<'query.policy'> = {
  handle: (context, requests) => {
    const reply = { success: true as const, ...describe(context) };
    return Promise.resolve(requests.map(() => ({ reply })));
  },
};

const describe = ({
  policy: limits,
  countFailedAttempts,
  reentry,
  settings,
}: BatchContext): ReplyBody<'query.policy'> => ({
  limits: byName(ACTION_TYPES, (action) => toNumbers(limits[action])),
  differing: Object.fromEntries(
    ACTION_TYPES.map((action) => [
      action,
      defaultsOfDiffering(toNumbers(limits[action]), toNumbers(DEFAULT_LIMITS[action])),
    ]).filter(([, numbers]) => Object.keys(numbers as object).length > 0),
  ) as ReplyBody<'query.policy'>['differing'],
  count_failed_attempts: countFailedAttempts,
  reentry: { days: reentry.days, daily_percent: Math.round(reentry.share * 100) },
  alerts: {
    flood_wait_percent: settings.alerts.floodWaitPercent,
    blocked_percent: settings.alerts.blockedPercent,
    near_limits_percent: settings.alerts.nearLimitsPercent,
    near_limit_percent: settings.nearLimitPercent,
  },
  cadences: byName(JOB_NAMES, (job: JobName) => settings.cadences[job].cron),
  history_days: settings.historyDays,
});

const byName = <Name extends string, T>(names: readonly Name[], valueOf: (name: Name) => T): Record<Name, T> =>
  Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, T>;

const toNumbers = (action: ActionPolicy): Numbers => ({
  daily_limit: action.dailyLimit,
  hourly_limit: action.hourlyLimit,
  per_channel_daily: action.perChannelDaily,
  per_channel_total: action.perChannelTotal,
  cooldown_seconds: action.cooldownSeconds,
  burst_limit: action.burstLimit,
  burst_cooldown_seconds: action.burstCooldownSeconds,
});

const defaultsOfDiffering = (numbers: Numbers, defaults: Numbers): Partial<Numbers> =>
  Object.fromEntries(Object.entries(defaults).filter(([name, usual]) => numbers[name as keyof Numbers] !== usual));
