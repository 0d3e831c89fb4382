import { judgeAction } from '../../decide/limits/evaluate-limits.js';
import { policyFor } from '../../decide/limits/reentry.js';
import { settleCondition } from '../../decide/condition/transition-account.js';
import { EMPTY_CHANNEL_USAGE } from '../../decide/limits/usage-window.js';
import { channelKey } from '../../store/accounts/account-record.js';
import { loadLimitViews } from '../../accounts/load-limit-views.js';
import type { OperationHandler } from '../../requests/handler.js';
import { noteReentry } from '../../accounts/reentry-note.js';
import { refuse } from '../../requests/refuse.js';
import { describeRoom, describeVerdict } from '../query/describe-limits.js';

/** `action.check`: what `action.acquire` would answer now; changes nothing. */
export const check: OperationHandler<'action.check'> = {
  handle: async (context, requests) => {
    const { now, views } = await loadLimitViews(
      context,
      requests.map(({ body }) => ({
        accountId: body.account_id,
        actionTypes: [body.action_type],
        channel: body.target_channel_id ?? null,
      })),
    );
    return requests.map(({ body }) => {
      const view = views.get(body.account_id);
      if (view === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
      const channel = body.target_channel_id;
      const verdict = judgeAction(
        {
          condition: settleCondition(view.condition, now).condition,
          window: view.windowOf(body.action_type),
          channel:
            channel === undefined
              ? null
              : (view.channels.get(channelKey(body.action_type, channel)) ?? EMPTY_CHANNEL_USAGE),
          policy: policyFor(view.condition, context, now)[body.action_type],
        },
        now,
      );
      return {
        reply: { success: true, ...describeVerdict(verdict, now), ...noteReentry(view.condition, context, now) },
        log: {
          user_id: view.userId,
          allowed: verdict.allowed,
          reason: verdict.reason,
          ...describeRoom(body.action_type, verdict),
        },
      };
    });
  },
};
