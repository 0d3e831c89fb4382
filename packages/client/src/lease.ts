import type { AccountAllocateReply, OperationName, Operations } from './contract.js';
import { AccountManagerError, hasCode } from './errors.js';
import type { Requests } from './requests.js';
import type { Settings } from './options.js';

export type Allocation = AccountAllocateReply['allocation'];

/** How the end of a lease was noticed: the service said so, or no renewal was answered in time. */
type NoticedBy = 'reply' | 'clock';

/** An account while it is held. */
export interface Lease {
  /** Aborts with an `AccountManagerError` of code `LEASE_LOST` when the lease is lost. */
  signal: AbortSignal;
  /** The fields that name the lease in requests. */
  holder: { account_id: string; service_name: string; lease_id: string; fence: number };
  /** Asks under the lease: a refusal that tells of its loss ends it. `signal` ends the waiting. */
  ask<K extends OperationName>(
    operation: K,
    body: Operations[K]['request'],
    signal?: AbortSignal,
  ): Promise<Operations[K]['reply']>;
  noticedBy(): NoticedBy | null;
  /** Resolves when the lease is known to be fresh: its last renewal lies less than a third of its length back. */
  refreshed(): Promise<void>;
  /** Renews no more. */
  end(): void;
}

/** Shares of the length of the lease: renewals are due after a third; the rest is what the clock may not touch. */
const RENEW_AFTER = 1 / 3;
const RESEND_AFTER = 1 / 6;
const MARGIN = 1 / 10;
const MAX_MARGIN_MS = 5_000;

export interface LeaseOptions {
  requests: Requests;
  settings: Settings;
  allocation: Allocation;
  /** When the request for it was first sent: the lease began no sooner, so it ends no sooner than counted from then. */
  sentAt: number;
  timeoutMinutes: number | null | undefined;
}

/**
 * Keeps a lease by renewing it. All instants are those of the rising clock: neither a clock that is set nor one that
 * differs from the service's makes the lease look longer than it is.
 */
export function keepLease({ requests, settings, allocation, sentAt, timeoutMinutes }: LeaseOptions): Lease {
  const lengthMs = Date.parse(allocation.expires_at) - Date.parse(allocation.allocated_at);
  const marginMs = Math.min(lengthMs * MARGIN, MAX_MARGIN_MS);
  const lost = new AbortController();
  const ended = new AbortController();
  const { account_id, lease_id, fence } = allocation;
  const holder = { account_id, service_name: settings.serviceName, lease_id, fence };
  let noticedBy: NoticedBy | null = null;
  let beganAt = sentAt;
  let renewal: Promise<void> | null = null;
  let renewTimer: NodeJS.Timeout | undefined;
  let endTimer: NodeJS.Timeout | undefined;

  const leftMs = (): number => beganAt + lengthMs - marginMs - performance.now();
  const end = (): void => {
    clearTimeout(renewTimer);
    clearTimeout(endTimer);
    ended.abort();
  };
  const lose = (by: NoticedBy, cause?: unknown): void => {
    if (noticedBy !== null) return;
    noticedBy = by;
    end();
    lost.abort(lossOf(account_id, by, cause));
  };
  const judge = (error: unknown): void => {
    if (hasCode(error, 'LEASE_LOST', 'NOT_HELD', 'ACCOUNT_NOT_FOUND')) lose('reply', error);
  };
  const schedule = (): void => {
    clearTimeout(renewTimer);
    clearTimeout(endTimer);
    if (ended.signal.aborted) return;
    renewTimer = setTimeout(() => void renew(), Math.max(0, beganAt + lengthMs * RENEW_AFTER - performance.now()));
    endTimer = setTimeout(() => lose('clock'), Math.max(0, leftMs()));
  };
  const renewOnce = async (): Promise<void> => {
    try {
      const answer = await requests.ask(
        'account.renew',
        { ...holder, timeout_minutes: timeoutMinutes ?? undefined },
        {
          timeoutMs: Math.max(1, leftMs()),
          resendAfterMs: Math.min(settings.resendAfterMs, lengthMs * RESEND_AFTER),
          signal: ended.signal,
        },
      );
      beganAt = answer.sentAt;
      schedule();
    } catch (error) {
      if (ended.signal.aborted) return;
      judge(error);
      // Whatever else it is, the lease lives until its end; the clock decides.
      if (noticedBy === null) settings.onWarning(new Error(`account ${account_id} was not renewed`, { cause: error }));
    }
  };
  const renew = (): Promise<void> => {
    if (leftMs() <= 0) lose('clock');
    if (ended.signal.aborted) return Promise.resolve();
    renewal ??= renewOnce().finally(() => {
      renewal = null;
    });
    return renewal;
  };

  schedule();
  return {
    signal: lost.signal,
    holder,
    ask: async (operation, body, signal) => {
      try {
        return (await requests.ask(operation, body, { signal })).reply;
      } catch (error) {
        judge(error);
        throw error;
      }
    },
    noticedBy: () => noticedBy,
    refreshed: async () => {
      if (performance.now() - beganAt > lengthMs * RENEW_AFTER) await renew();
      lost.signal.throwIfAborted();
    },
    end,
  };
}

export const lossOf = (accountId: string, noticedBy: NoticedBy, cause?: unknown): AccountManagerError =>
  new AccountManagerError(
    {
      code: 'LEASE_LOST',
      message:
        noticedBy === 'reply'
          ? `account ${accountId} is held no more`
          : `the lease of account ${accountId} ends, and no renewal was answered`,
      retryable: false,
      details: { account_id: accountId, noticed_by: noticedBy },
    },
    { cause },
  );
