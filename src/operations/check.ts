import { judgeAction } from '../decide/evaluate-limits.js';
import { policyFor } from '../decide/reentry.js';
import { settleCondition } from '../decide/transition-account.js';
import { EMPTY_CHANNEL_USAGE } from '../decide/usage-window.js';
import { channelKey } from '../store/account-record.js';
import { loadLimitViews } from './load-limit-views.js';
import type { OperationHandler } from './handler.js';
import { noteReentry } from './reentry-note.js';
import { refuse } from './refuse.js';
import { limitsLeft, reportVerdict } from './report-limits.js';

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
        reply: { success: true, ...reportVerdict(verdict, now), ...noteReentry(view.condition, context, now) },
        log: {
          user_id: view.userId,
          allowed: verdict.allowed,
          reason: verdict.reason,
          ...limitsLeft(body.action_type, verdict),
        },
      };
    });
  },
};
