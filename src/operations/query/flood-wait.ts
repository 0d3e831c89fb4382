import { toIso } from '../../clock.js';
import { loadAccountHeads } from '../../store/accounts/load-account-heads.js';
import type { OperationHandler } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';

/** `query.flood-wait`: whether an account is in a flood wait now. */
export const floodWait: OperationHandler<'query.flood-wait'> = {
  handle: async ({ sql }, requests) => {
    const accountIds = [...new Set(requests.map((request) => request.body.account_id))];
    const { now, heads } = await loadAccountHeads(sql, accountIds);
    return requests.map(({ body }) => {
      const account = heads.get(body.account_id);
      if (account === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
      const until = account.condition.floodWaitUntil;
      const log = { user_id: account.userId };
      if (until === null || until <= now) return { reply: { success: true, flood_wait_active: false }, log };
      const wait = {
        account_id: account.accountId,
        flood_wait_until: toIso(until),
        remaining_seconds: Math.ceil((until - now) / 1000),
      };
      return { reply: { success: true, flood_wait_active: true, flood_wait: wait }, log };
    });
  },
};
