import { letWait, seedAccounts } from '../support/seed-accounts.js';
import type { OpenConsole } from './open-console.js';
import { park } from './park.js';

/** The user whose invites are slow. */
export const SLOW_USER = 101;

interface Lease {
  account_id: string;
  lease_id: string;
  fence: number;
}

export interface Story {
  /** Two accounts whose waits an operator ends. */
  waiting: [string, string];
  /** An account whose holder hangs. */
  stuck: string;
}

/** A fleet as it is found in the morning: waits, blocks, a lease that hangs, a message that was put aside. */
export async function tellStory(open: OpenConsole, accounts: number): Promise<Story> {
  const { world } = open;
  const ofSlow = await seedAccounts(world, SLOW_USER, 14);
  for (const user of [102, 103, 104, 105, 106]) await seedAccounts(world, user, Math.floor((accounts - 14) / 5));
  const others = await seedAccounts(world, 107, 120);

  const lease = async (userId: number, channel?: string): Promise<Lease> => {
    const { reply } = await open.ask('inviting', 'account.allocate', {
      user_id: userId,
      purpose: 'invite_campaign',
      service_name: 'inviting',
      include_session: false,
      timeout_minutes: 90,
      ...(channel && { target_channel_id: channel }),
    });
    const { account_id, lease_id, fence } = (reply as unknown as { allocation: Lease }).allocation;
    return { account_id, lease_id, fence };
  };
  const report = (held: Lease, error: string) =>
    open.ask('inviting', 'account.error', { ...held, service_name: 'inviting', error_type: error });
  const release = (held: Lease, invites: number) =>
    open.ask('inviting', 'account.release', {
      ...held,
      service_name: 'inviting',
      usage_stats: {
        invites_sent: invites,
        messages_sent: 0,
        contacts_added: 0,
        success: true,
        channel_usage: { shop_news: invites },
      },
    });

  for (const error of [
    'FLOOD_WAIT_5400',
    'FLOOD_WAIT_5400',
    'PEER_FLOOD',
    'AUTH_KEY_UNREGISTERED',
    'USER_DEACTIVATED_BAN',
  ]) {
    const held = await lease(SLOW_USER, 'shop_news');
    await report(held, error);
    await release(held, 3);
  }
  for (const invites of [5, 5, 4]) await release(await lease(SLOW_USER, 'shop_news'), invites);
  const stuck = await lease(SLOW_USER, 'shop_news');
  for (const user of [102, 103, 104, 105, 106]) for (let n = 0; n < 4; n++) await lease(user);
  await letWait(world, others.slice(0, 40), { fromMs: 600_000, toMs: 40_000_000 });
  await letWait(world, others.slice(40, 52), { status: 'blocked', fromMs: 3_600_000, toMs: 80_000_000 });

  const late = await lease(107);
  await park(world, 'account.release', {
    account_id: late.account_id,
    service_name: 'inviting',
    lease_id: late.lease_id,
    fence: late.fence,
    usage_stats: { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true },
  });
  await park(world, 'account.error', { account_id: late.account_id, errortype: 'FLOOD_WAIT_30' }, 'VALIDATION_FAILED');
  await open.ask('operator', 'admin.run-job', { job: 'health-scan' });
  const rows = await world.query<{ id: string }>(
    "SELECT id FROM telegram_sessions WHERE id = ANY($1) AND status = 'flood_wait' ORDER BY id",
    [ofSlow],
  );
  return { waiting: [rows[0]!.id, rows[1]!.id], stuck: stuck.account_id };
}
