import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AccountManager,
  AccountManagerError,
  type ActionType,
  connectAccountManager,
  type HeldAccount as Account,
  isTelegramError,
  type Purpose,
} from '@account-manager/client';
import { connectTelegram, type TelegramCall } from '../telegram.js';

/** Purpose for which a worker wants accounts. */
export interface Campaign {
  userId: number;
  purpose: Purpose;
  channel?: string;
}

/** An account while this service holds it. */
export interface HeldAccount {
  /**
   * Does one thing on Telegram as soon as the account's limits allow it. False: it was not done, and waiting with this
   * account does not help: give it back.
   */
  perform(actionType: ActionType, call: TelegramCall): Promise<boolean>;
}

interface Service {
  manager: AccountManager;
  telegramUrl: string;
  /** Aborts when the service is told to end. */
  stopping: AbortSignal;
}

/** Longer work is no problem: the client renews the lease. When this process dies, the account is free again after so long. */
const LEASE_MINUTES = 5;
/** With a longer pause ahead another account does the work sooner. */
const WORTH_WAITING_MS = 5_000;
/** An account may come free sooner than a refusal can know. */
const ASK_AGAIN_MS = 5_000;

/**
 * Runs one worker per campaign until the process is told to end; then every worker finishes its action and gives its
 * account back. RABBITMQ_URL and TELEGRAM_URL say where things are.
 */
export async function runService(
  name: string,
  campaigns: readonly Campaign[],
  work: (account: HeldAccount, campaign: Campaign) => Promise<void>,
): Promise<void> {
  const { RABBITMQ_URL, TELEGRAM_URL } = process.env;
  if (!RABBITMQ_URL || !TELEGRAM_URL) throw new Error('RABBITMQ_URL and TELEGRAM_URL must be set');
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop.abort());

  const manager = await connectAccountManager(RABBITMQ_URL, { serviceName: name });
  const service: Service = { manager, telegramUrl: TELEGRAM_URL, stopping: stop.signal };
  const workers = campaigns.map((campaign) =>
    runWorker(service, campaign, work).catch((error: unknown) => {
      stop.abort(); // the others end, too, and whoever watches this process starts it again
      throw error;
    }),
  );
  const ends = await Promise.allSettled(workers);
  await manager.close();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Takes one account after another. */
async function runWorker(
  service: Service,
  campaign: Campaign,
  work: (account: HeldAccount, campaign: Campaign) => Promise<void>,
): Promise<void> {
  const { manager, stopping } = service;
  const { userId: user_id, purpose, channel } = campaign;
  const wish = { user_id, purpose, target_channel_id: channel, timeout_minutes: LEASE_MINUTES };
  while (!stopping.aborted) {
    try {
      await manager.withAccount(wish, (account) => useAccount(service, account, campaign, work));
    } catch (error) {
      // Telegram's errors have been reported: what they mean for the account is the account manager's business.
      if (isTelegramError(error)) continue;
      if (!(error instanceof AccountManagerError && (error.retryable || error.code === 'LEASE_LOST'))) throw error;
      console.log(`no account for user ${user_id}: ${error.code}`);
      await sleepUnless(stopping, Math.min(error.retryAfterMs ?? ASK_AGAIN_MS, ASK_AGAIN_MS));
    }
  }
}

/** Connects the account to Telegram and works with it. */
async function useAccount(
  { telegramUrl, stopping }: Service,
  account: Account,
  campaign: Campaign,
  work: (account: HeldAccount, campaign: Campaign) => Promise<void>,
): Promise<void> {
  const telegram = await connectTelegram(telegramUrl, account.session_data ?? '');
  const done: Partial<Record<ActionType, number>> = {};
  const perform = async (actionType: ActionType, call: TelegramCall): Promise<boolean> => {
    if (stopping.aborted) return false;
    const waitMs = WORTH_WAITING_MS;
    const { outcome } = await account.act(actionType, call.channel ?? null, () => telegram.call(call), { waitMs });
    if (outcome === 'refused') return false;
    // A failed one is done as well: it counts, and the next permit will tell whether the account may go on.
    done[actionType] = (done[actionType] ?? 0) + 1;
    return true;
  };
  try {
    await work({ perform }, campaign);
  } finally {
    await telegram.close();
    console.log(`gives back ${account.account_id} of user ${account.user_id} after`, done);
  }
}

async function sleepUnless(stopping: AbortSignal, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: stopping }).catch(() => undefined);
}
