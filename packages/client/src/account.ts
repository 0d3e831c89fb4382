import { act, type ActOptions, createUsage, type Held, type Outcome, reportOnce } from './act.js';
import type { AccountAllocateRequest, AccountReleaseRequest, ActionType } from './contract.js';
import type { Core } from './core.js';
import { type Allocation, keepLease, type Lease, lossOf } from './lease.js';
import type { Answer } from './requests.js';

/** A wish for an account: `account.allocate` without the service's name, which the client adds. */
export type Wish = Omit<AccountAllocateRequest, 'service_name'>;

/** An account while the body of `withAccount` runs: what was allocated, and what can be done with it. */
export interface HeldAccount extends Readonly<Allocation> {
  /** The body's signal. */
  readonly signal: AbortSignal;
  /**
   * Does one thing on Telegram inside the account's limits: asks for a permit, calls `perform`, settles the permit.
   * Telegram's error is reported and becomes the outcome `failed`; any other error is thrown on. Rejects with
   * `LEASE_LOST` when the account is held no more.
   * @param channel the target channel, where the action has one
   */
  act<T>(
    action: ActionType,
    channel: string | number | null,
    perform: (signal: AbortSignal) => T | Promise<T>,
    options?: ActOptions,
  ): Promise<Outcome<T>>;
}

export interface WithAccountOptions {
  /** Gives up waiting for an account, and aborts the body's signal. */
  signal?: AbortSignal;
  /** How long the allocation may take, milliseconds; the wish's `wait_ms` comes on top. */
  timeoutMs?: number;
}

/** Allocates an account, lends it to `body`, and gives it back whatever happens. */
export async function withAccount<T>(
  core: Core,
  wish: Wish,
  body: (account: HeldAccount, signal: AbortSignal) => T | Promise<T>,
  options: WithAccountOptions = {},
): Promise<T> {
  const { allocation, lease } = await takeLease(core, wish, options);
  const signal = AbortSignal.any([lease.signal, core.closing, ...(options.signal ? [options.signal] : [])]);
  const held: Held = { core, lease, signal, usage: createUsage(), reported: new Set(), settling: new Set() };
  let value: T;
  try {
    value = await body({ ...allocation, signal, act: (...action) => act(held, ...action) }, signal);
  } catch (error) {
    await reportOnce(held, error);
    await giveBack(held, false).catch((cause: unknown) => {
      core.settings.onWarning(new Error(`account ${allocation.account_id} was not released`, { cause }));
    });
    throw error;
  }
  await giveBack(held, true);
  lease.signal.throwIfAborted();
  return value;
}

async function takeLease(
  core: Core,
  wish: Wish,
  { signal, timeoutMs }: WithAccountOptions,
): Promise<{ allocation: Allocation; lease: Lease }> {
  signal?.throwIfAborted();
  const { requests, settings } = core;
  const asked = requests.ask('account.allocate', { ...wish, service_name: settings.serviceName }, { timeoutMs });
  const { reply, sentAt } = await unlessAborted(core, asked, signal);
  const { allocation } = reply;
  // The reply to a copy that came when all was over.
  if (allocation.ended_at !== undefined) throw lossOf(allocation.account_id, 'reply');
  const lease = keepLease({ requests, settings, allocation, sentAt, timeoutMinutes: wish.timeout_minutes });
  try {
    await lease.refreshed();
  } catch (error) {
    if (lease.noticedBy() === 'clock') core.background(returnUnused(core, allocation));
    throw error;
  }
  return { allocation, lease };
}

/** Waits for an allocation. One that arrives when nobody wants it any more is given back. */
function unlessAborted(
  core: Core,
  asked: Promise<Answer<'account.allocate'>>,
  signal: AbortSignal | undefined,
): Promise<Answer<'account.allocate'>> {
  if (signal === undefined) return asked;
  return new Promise((resolve, reject) => {
    const abandon = (): void => {
      reject(signal.reason as Error);
      core.background(asked.then(({ reply: { allocation } }) => returnUnused(core, allocation)));
    };
    signal.addEventListener('abort', abandon, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  });
}

const returnUnused = ({ requests, settings }: Core, { account_id, lease_id, fence }: Allocation): Promise<unknown> =>
  requests.ask('account.release', {
    ...{ account_id, lease_id, fence, service_name: settings.serviceName },
    usage_stats: createUsage().toStats(true),
  });

/** Releases the account, unless it is known not to be held any more. */
async function giveBack({ core, lease, usage, settling }: Held, success: boolean): Promise<void> {
  if (lease.noticedBy() === null) await Promise.all(settling);
  lease.end();
  const noticedBy = lease.noticedBy();
  if (noticedBy === 'reply') return;
  const request: AccountReleaseRequest = { ...lease.holder, usage_stats: usage.toStats(success) };
  const released = lease.ask('account.release', request);
  // The broker may be silent for long; should the last renewal have arrived after all, the account is free sooner.
  if (noticedBy === 'clock') core.background(released);
  else await released;
}
