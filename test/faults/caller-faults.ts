import { type Fault, shortWhile } from './fault.js';

export const CALLER_FAULTS = {
  'a hundred times the same at once': async ({ bus, random, userIds, injected }) => {
    for (let times = 2; times > 0; times--) {
      const service_name = 'repeating';
      const wish = { user_id: random.pick(userIds), purpose: 'general', service_name, wait_ms: 2_000 };
      const granted = await bus.askTimes(100, 'account.allocate', wish);
      injected(100);
      if (!granted.success) continue;
      const { account_id, lease_id, fence } = granted.allocation as Record<string, unknown>;
      const holder = { account_id, lease_id, fence, service_name };
      await bus.askTimes(100, 'action.acquire', { ...holder, action_type: 'message' });
      await bus.askTimes(100, 'account.release', { ...holder, usage_stats: {} });
    }
  },
  'release before the reply of allocate': async ({ world, bus, random, userIds, injected }) => {
    for (let times = 20; times > 0; times--) {
      const userId = random.pick(userIds);
      const [account] = await world.query<{ id: string }>(
        'SELECT id::text FROM telegram_sessions WHERE user_id = $1 AND NOT locked LIMIT 1',
        [userId],
      );
      const account_id = account?.id ?? '00000000-0000-0000-0000-000000000000';
      const service_name = 'hasty';
      injected();
      await Promise.all([
        bus.ask('account.allocate', {
          ...{ user_id: userId, purpose: 'general', service_name },
          ...{ preferred_account_id: account_id, preferred_mode: 'require' },
        }),
        bus.ask('account.release', { account_id, service_name, usage_stats: {} }),
      ]);
      await bus.ask('account.release', { account_id, service_name, usage_stats: {} });
    }
  },
  'holders paused beyond their lease': async ({ world, random, userIds, injected }) => {
    for (let times = 4; times > 0; times--) {
      // To the database it is as if their time was over; the holders wake up and know of nothing.
      const ended = await world.query(
        `WITH held AS (
           SELECT lease_id FROM telegram_sessions WHERE user_id = ANY($1) AND locked ORDER BY id FOR UPDATE
         ), ended AS (
           UPDATE leases SET expires_at = now()
           WHERE id IN (SELECT lease_id FROM held) AND allocated_at < now() - interval '10 milliseconds' RETURNING id
         )
         UPDATE telegram_sessions SET locked_until = now() WHERE lease_id IN (SELECT id FROM ended) RETURNING id`,
        [userIds],
      );
      injected(ended.length);
      await shortWhile(random);
    }
  },
} as const satisfies Record<string, Fault>;
