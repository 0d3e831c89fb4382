import { ACTION_TYPES, type ActionType } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { toIso } from '../../clock.js';
import { evaluateLimits, type LimitChecks, type PauseCheck } from '../../decide/limits/evaluate-limits.js';
import { canBeGranted } from '../../decide/condition/plan-recovery.js';
import { policyFor } from '../../decide/limits/reentry.js';
import { settleCondition } from '../../decide/condition/transition-account.js';
import type { BatchContext, OperationHandler } from '../../requests/handler.js';
import { EVERY_CHANNEL, type LimitView, loadLimitViews, type WantedLimits } from '../../accounts/load-limit-views.js';
import { noteReentry } from '../../accounts/reentry-note.js';
import { refuse } from '../../requests/refuse.js';

/** `query.limits`: every window of an account as of now. */
export const limits: OperationHandler<'query.limits'> = {
  handle: async (context, requests) => {
    const wanted = requests.map(
      ({ body }): WantedLimits => ({
        accountId: body.account_id,
        actionTypes: ACTION_TYPES,
        channel: EVERY_CHANNEL,
      }),
    );
    const { now, views } = await loadLimitViews(context, wanted);
    return requests.map(({ body }) => {
      const view = views.get(body.account_id);
      if (view === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
      return { reply: { success: true, status: describe(context, view, now) }, log: { user_id: view.userId } };
    });
  },
};

function describe(context: BatchContext, view: LimitView, now: number): ReplyBody<'query.limits'>['status'] {
  const policy = policyFor(view.condition, context, now);
  const checksOf = (
    actionType: ActionType,
    channel: Parameters<typeof evaluateLimits>[0]['channel'] = null,
  ): LimitChecks =>
    evaluateLimits({ window: view.windowOf(actionType), channel, policy: policy[actionType] }, now).checks;
  const byAction = <T>(describeOne: (checks: LimitChecks) => T) =>
    Object.fromEntries(ACTION_TYPES.map((actionType) => [actionType, describeOne(checksOf(actionType))])) as Record<
      ActionType,
      T
    >;

  // Built from entries: a channel may be named `__proto__`.
  const byChannel = (actionType: ActionType) =>
    Object.fromEntries(
      [...view.channels].flatMap(([key, usage]) => {
        // A channel that could not be read may hold spaces.
        const [, keyAction, channel] = /^(\S+) (.*)$/su.exec(key) ?? [];
        if (keyAction !== actionType || channel === undefined) return [];
        const counts = checksOf(actionType, usage).perChannel;
        return counts === undefined ? [] : [[channel, counts]];
      }),
    );
  const perChannel = Object.fromEntries(
    ACTION_TYPES.map((actionType) => [actionType, byChannel(actionType)]),
  ) as ReplyBody<'query.limits'>['status']['per_channel_limits'];
  const free = view.lockedUntil === null || view.lockedUntil <= now;
  return {
    account_id: view.accountId,
    is_available: free && canBeGranted(settleCondition(view.condition, now).condition),
    daily_limits: byAction(({ daily }) => daily),
    hourly_limits: byAction(({ hourly }) => hourly),
    cooldowns: byAction(({ cooldown }) => pause(cooldown)),
    burst_status: byAction(({ burst }) => ({ ...pause(burst), used: burst.used, limit: burst.limit })),
    per_channel_limits: perChannel,
    ...noteReentry(view.condition, context, now),
  };
}

const pause = ({ ready, nextAllowedAt }: PauseCheck) => ({
  ready,
  next_allowed_at: nextAllowedAt === null ? null : toIso(nextAllowedAt),
});
