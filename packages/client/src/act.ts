import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AccountErrorReply,
  AccountReleaseRequest,
  ActionAcquireReply,
  ActionAcquireRequest,
  ActionType,
} from './contract.js';
import type { Core } from './core.js';
import type { Lease } from './lease.js';
import { describeTelegramError } from './telegram-error.js';

/** The outcome of an action. */
export type Outcome<T> =
  /** Done; `value` is what the function returned. */
  | { outcome: 'done'; value: T }
  /** Not done: a limit or the account's state allows it at `next_allowed_at`; null: not by itself. */
  | ({ outcome: 'refused' } & Pick<ActionAcquireReply, 'reason' | 'next_allowed_at' | 'details' | 'checks'>)
  /** Telegram refused it; the error was reported, and the rest is what it means. */
  | ({ outcome: 'failed'; error: unknown } & AccountErrorReply['result']);

export interface ActOptions {
  /** Waits for `next_allowed_at` where it comes within this time, milliseconds, instead of answering `refused`; 0. */
  waitMs?: number;
}

/** An account in the hands of a body. */
export interface Held {
  core: Core;
  lease: Lease;
  /** The body's: aborts with the lease, and when the caller or the client ends it. */
  signal: AbortSignal;
  usage: Usage;
  /** Errors that have been reported, or could not be: once is enough. */
  reported: Set<unknown>;
  /** Permits that are being settled. */
  settling: Set<Promise<void>>;
}

/** Asks for a permit, does the action, settles the permit; Telegram's error is reported and becomes the outcome. */
export async function act<T>(
  held: Held,
  action: ActionType,
  channel: string | number | null,
  perform: (signal: AbortSignal) => T | Promise<T>,
  { waitMs = 0 }: ActOptions = {},
): Promise<Outcome<T>> {
  const target = { action_type: action, target_channel_id: channel ?? undefined };
  const verdict = await acquire(held, target, performance.now() + waitMs);
  if (!verdict.allowed) {
    const { reason, next_allowed_at, details, checks } = verdict;
    return { outcome: 'refused', reason, next_allowed_at, details, checks };
  }
  held.usage.add(action, channel);
  const settle = (success: boolean): void => settlePermit(held, { ...target, permit_id: verdict.permit_id, success });
  let value: T;
  try {
    value = await perform(held.signal);
  } catch (error) {
    settle(false);
    const result = await reportOnce(held, error);
    if (result === null) throw error;
    return { outcome: 'failed', error, ...result };
  }
  settle(true);
  return { outcome: 'done', value };
}

type Target = Pick<ActionAcquireRequest, 'action_type' | 'target_channel_id'>;

/** The verdict, once it is a yes, or a no that lasts longer than until `giveUpAt` (rising clock). */
async function acquire({ lease, signal }: Held, target: Target, giveUpAt: number): Promise<ActionAcquireReply> {
  for (;;) {
    signal.throwIfAborted();
    const verdict = await lease
      .ask('action.acquire', { ...lease.holder, ...target }, signal)
      .catch((error: unknown) => {
        lease.signal.throwIfAborted(); // the loss, whichever code told of it
        throw error;
      });
    const pauseMs = verdict.allowed ? null : pauseOf(verdict);
    if (pauseMs === null || performance.now() + pauseMs > giveUpAt) return verdict;
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

const LEAST_PAUSE_MS = 50;
/** Longest pause of a timer. Where it ends too early, the next acquire says so. */
const LONGEST_PAUSE_MS = 2 ** 31 - 1;

/**
 * How long until the action is allowed; null: not by itself. `cooldown_remaining` is that time in seconds, rounded up, by
 * the service's clock, and sets the bounds for what this clock makes of `next_allowed_at`.
 */
function pauseOf({ next_allowed_at, details }: Pick<ActionAcquireReply, 'next_allowed_at' | 'details'>): number | null {
  if (next_allowed_at === null) return null;
  const byClockMs = Date.parse(next_allowed_at) - Date.now();
  const mostMs = details.cooldown_remaining === null ? byClockMs : details.cooldown_remaining * 1_000;
  const pauseMs = Math.max(mostMs - 1_000, Math.min(byClockMs, mostMs));
  return Math.min(Math.max(pauseMs, LEAST_PAUSE_MS), LONGEST_PAUSE_MS);
}

/** Not waited for: the action is counted since its acquire. The release waits. */
function settlePermit(
  { core, lease, settling }: Held,
  settlement: Target & { permit_id: string | undefined; success: boolean },
): void {
  const { account_id, service_name, lease_id } = lease.holder;
  const work = lease.ask('action.record', { account_id, service_name, lease_id, ...settlement }).then(
    () => undefined,
    (cause: unknown) =>
      core.settings.onWarning(new Error(`a permit of account ${account_id} was not settled`, { cause })),
  );
  settling.add(work);
  core.background(work.finally(() => settling.delete(work)));
}

/**
 * Reports an error where it is Telegram's and was not reported; answers what it means. Null: it was not, or that could
 * not be learned. An error still counts when the lease is over, as long as nobody else has had the account.
 */
export async function reportOnce(
  { core, lease, reported }: Pick<Held, 'core' | 'lease' | 'reported'>,
  error: unknown,
): Promise<AccountErrorReply['result'] | null> {
  if (reported.has(error) || !core.settings.isTelegramError(error)) return null;
  reported.add(error);
  const report = lease.ask('account.error', { ...lease.holder, ...describeTelegramError(error) }).then(
    ({ result }) => result,
    (cause: unknown) => {
      core.settings.onWarning(new Error(`an error of account ${lease.holder.account_id} was not reported`, { cause }));
      return null;
    },
  );
  if (lease.noticedBy() !== 'clock') return report;
  core.background(report); // the broker may be silent for long
  return null;
}

/** The actions done under a lease, for its release. */
export interface Usage {
  add(action: ActionType, channel: string | number | null): void;
  toStats(success: boolean): AccountReleaseRequest['usage_stats'];
}

export function createUsage(): Usage {
  const counts = new Map<ActionType, number>();
  const invitesByChannel = new Map<string, number>();
  const addTo = <K>(map: Map<K, number>, key: K): unknown => map.set(key, (map.get(key) ?? 0) + 1);
  return {
    add: (action, channel) => {
      addTo(counts, action);
      if (action === 'invite' && channel !== null) addTo(invitesByChannel, String(channel));
    },
    toStats: (success) => ({
      invites_sent: counts.get('invite') ?? 0,
      messages_sent: counts.get('message') ?? 0,
      contacts_added: counts.get('add_contact') ?? 0,
      channel_usage: invitesByChannel.size === 0 ? undefined : Object.fromEntries(invitesByChannel),
      success,
    }),
  };
}
