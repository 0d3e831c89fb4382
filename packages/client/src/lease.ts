import type { AccountAllocateReply, OperationName, Operations } from './contract.js';
import { AccountManagerError, hasCode } from './errors.js';
import type { Requests } from './requests.js';
import type { Settings } from './options.js';
import { createTerm, type Term } from './term.js';

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

export interface LeaseOptions {
  requests: Requests;
  settings: Settings;
  allocation: Allocation;
  /** When the request for it was first sent: the lease began no sooner, so it ends no sooner than counted from then. */
  sentAt: number;
  timeoutMinutes: number | null | undefined;
}

/** Keeps a lease by renewing it. */
export function keepLease(options: LeaseOptions): Lease {
  const { requests, settings, allocation, sentAt } = options;
  const term = createTerm(allocation, sentAt);
  const lost = new AbortController();
  const ended = new AbortController();
  const { account_id, lease_id, fence } = allocation;
  const holder = { account_id, service_name: settings.serviceName, lease_id, fence };
  let noticedBy: NoticedBy | null = null;
  let renewal: Promise<void> | null = null;
  const timers = createTimers(term, { onDue: () => void renew(), onOver: () => lose('clock') });

  const end = (): void => {
    timers.stop();
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
  const renewOnce = async (): Promise<void> => {
    try {
      term.beginAnew(await askRenewal(options, holder, term, ended.signal));
      if (!ended.signal.aborted) timers.restart();
    } catch (error) {
      if (ended.signal.aborted) return;
      judge(error);
      // Whatever else it is, the lease lives until its end; the clock decides.
      if (noticedBy === null) settings.onWarning(new Error(`account ${account_id} was not renewed`, { cause: error }));
    }
  };
  const renew = (): Promise<void> => {
    if (term.leftMs() <= 0) lose('clock');
    if (ended.signal.aborted) return Promise.resolve();
    renewal ??= renewOnce().finally(() => (renewal = null));
    return renewal;
  };

  timers.restart();
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
      if (term.untilRenewalMs() < 0) await renew();
      lost.signal.throwIfAborted();
    },
    end,
  };
}

/** The timers of a term as it now is: one for the renewal, one for the end. */
function createTimers(term: Term, { onDue, onOver }: { onDue: () => void; onOver: () => void }) {
  let due: NodeJS.Timeout | undefined;
  let over: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(due);
    clearTimeout(over);
  };
  return {
    restart: (): void => {
      stop();
      due = setTimeout(onDue, Math.max(0, term.untilRenewalMs()));
      over = setTimeout(onOver, Math.max(0, term.leftMs()));
    },
    stop,
  };
}

/** Asks for a renewal as long as the lease lasts; resolves with the instant at which it was first asked for. */
async function askRenewal(
  { requests, settings, timeoutMinutes }: LeaseOptions,
  holder: Lease['holder'],
  term: Term,
  signal: AbortSignal,
): Promise<number> {
  const answer = await requests.ask(
    'account.renew',
    { ...holder, timeout_minutes: timeoutMinutes ?? undefined },
    {
      timeoutMs: Math.max(1, term.leftMs()),
      resendAfterMs: Math.min(settings.resendAfterMs, term.resendAfterMs),
      signal,
    },
  );
  return answer.sentAt;
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
