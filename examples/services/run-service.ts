import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AccountManagerClient,
  connectAccountManager,
  type Reply,
  type Request,
} from '../client/account-manager-client.js';
import { connectTelegram, type TelegramCall, type TelegramConnection, TelegramError } from '../telegram.js';

/** What a worker wants accounts for. */
export interface Campaign {
  userId: number;
  purpose: Request<'account.allocate'>['purpose'];
  channel?: string;
}

/** An account while this service holds it. */
export interface HeldAccount {
  /**
   * Does one thing on Telegram as soon as the account's limits allow it. False: not done, and nothing to wait for with
   * this account: give it back.
   */
  perform(actionType: ActionType, call: TelegramCall): Promise<boolean>;
}

type ActionType = Request<'action.acquire'>['action_type'];
type Allocation = Extract<Reply<'account.allocate'>, { success: true }>['allocation'];

interface Service {
  name: string;
  manager: AccountManagerClient;
  telegramUrl: string;
  /** Aborts when the service is told to end. */
  stopping: AbortSignal;
}

/** Ample for one round of work; longer work prolongs its lease (`account.renew`). */
const LEASE_MINUTES = 5;
/** With a longer pause ahead another account does the work sooner. */
const WORTH_WAITING_MS = 5_000;
/** This clock may be ahead of the account manager's. */
const LEAST_WAIT_MS = 50;
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

  const manager = await connectAccountManager(RABBITMQ_URL, name);
  const service: Service = { name, manager, telegramUrl: TELEGRAM_URL, stopping: stop.signal };
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
  const { name, manager, stopping } = service;
  while (!stopping.aborted) {
    const reply = await manager.request('account.allocate', {
      user_id: campaign.userId,
      purpose: campaign.purpose,
      service_name: name,
      target_channel_id: campaign.channel,
      timeout_minutes: LEASE_MINUTES,
    });
    if (reply.success) {
      await useAccount(service, reply.allocation, campaign, work);
      continue;
    }
    const { code, message, retryable, retry_after_ms: retryAfterMs = ASK_AGAIN_MS } = reply.error;
    if (!retryable) throw new Error(`${code}: ${message}`);
    console.log(`no account for user ${campaign.userId}: ${code}`);
    await sleepUnless(stopping, Math.min(retryAfterMs, ASK_AGAIN_MS));
  }
}

/** Connects the account to Telegram, works with it, and gives it back, whatever happens. */
async function useAccount(
  service: Service,
  allocation: Allocation,
  campaign: Campaign,
  work: (account: HeldAccount, campaign: Campaign) => Promise<void>,
): Promise<void> {
  const { name, manager, stopping, telegramUrl } = service;
  const lease = { account_id: allocation.account_id, service_name: name, lease_id: allocation.lease_id };
  const holder = { ...lease, fence: allocation.fence };
  const done: Partial<Record<ActionType, number>> = {};

  /** Resolves with a permit once the limits allow the action; null: not with this account. */
  const acquire = async (action: Pick<Request<'action.acquire'>, 'action_type' | 'target_channel_id'>) => {
    while (!stopping.aborted) {
      const reply = await manager.request('action.acquire', { ...holder, ...action });
      if (!reply.success) return null; // the lease is lost
      if (reply.permit_id !== undefined) return reply.permit_id;
      if (reply.next_allowed_at === null) return null; // not by itself
      const waitMs = Date.parse(reply.next_allowed_at) - Date.now();
      if (waitMs > WORTH_WAITING_MS) return null;
      await sleepUnless(stopping, Math.max(waitMs, LEAST_WAIT_MS));
    }
    return null;
  };

  /** What the error means for the account is the account manager's business: the next permit will tell. */
  const reportError = ({ code, errorMessage }: TelegramError) =>
    manager.request('account.error', { ...holder, error_code: code, error_message: errorMessage });

  const perform = (telegram: TelegramConnection) => async (actionType: ActionType, call: TelegramCall) => {
    const action = { action_type: actionType, target_channel_id: call.channel };
    const permitId = await acquire(action);
    if (permitId === null) return false;
    done[actionType] = (done[actionType] ?? 0) + 1;
    const failure = await telegram.call(call).then(() => null, onlyTelegramErrors);
    await manager.request('action.record', { ...lease, ...action, permit_id: permitId, success: failure === null });
    if (failure !== null) await reportError(failure);
    return true;
  };

  let telegram: TelegramConnection | undefined;
  try {
    telegram = await connectTelegram(telegramUrl, allocation.session_data ?? '');
    await work({ perform: perform(telegram) }, campaign);
  } catch (error) {
    await reportError(onlyTelegramErrors(error));
  } finally {
    await telegram?.close();
    await manager.request('account.release', {
      ...holder,
      usage_stats: {
        invites_sent: done.invite,
        messages_sent: done.message,
        contacts_added: done.add_contact,
      },
    });
    console.log(`gave back ${allocation.account_id} of user ${campaign.userId} after`, done);
  }
}

function onlyTelegramErrors(error: unknown): TelegramError {
  if (error instanceof TelegramError) return error;
  throw error;
}

async function sleepUnless(stopping: AbortSignal, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: stopping }).catch(() => undefined);
}
