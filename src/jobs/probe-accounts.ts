import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../clock.js';
import {
  judgeProbe,
  needsConfirmation,
  type ProbeOutcome,
  type ProbeVerdict,
} from '../decide/condition/judge-probe.js';
import { canBeGranted } from '../decide/condition/plan-recovery.js';
import { HOUR_MS } from '../decide/time-units.js';
import { finishWork } from '../accounts/finish-work.js';
import { takeError } from '../operations/account/error.js';
import { takeLeaseLocks } from '../accounts/take-lease-locks.js';
import { beginWork, loadWork } from '../accounts/load-work.js';
import { endLease, openLease, type Origin } from '../accounts/unit-of-work.js';
import { beginProbes, lockProbeCandidates, type ProbeMeans } from '../store/sessions/probe-candidates.js';
import type { SessionCipher } from '../store/sessions/session-cipher.js';
import type { ServerAddress } from '../telegram/data-centres.js';
import type { ProbeOptions } from '../telegram/probe-session.js';
import type { SettlingContext } from './settle-ended.js';

/** How accounts are probed; plain data, since it is told to a worker thread. */
export interface ProbeSettings {
  /** This service's own identity at Telegram. */
  apiId: number;
  apiHash: string;
  /** Accounts probed at the same time. */
  atOnce: number;
  /** The time limit of one connection. */
  timeoutMs: number;
  /** Each probe begins at a random instant within so long. */
  jitterMs: number;
  /** No further probe is begun after so long. */
  budgetMs: number;
  /** For tests: a server in place of Telegram. */
  server?: ServerAddress;
}

export interface ProbeContext extends SettlingContext {
  cipher: SessionCipher;
  /** Undefined: Telegram's API id and hash are not configured, and nothing is probed. */
  probe: ProbeSettings | undefined;
  /** How long an error counts against its account. */
  errorWindowMs: number;
  /** Aborts at the shutdown: probes under way end first. */
  signal: AbortSignal;
}

export interface ProbeSummary {
  probed: number;
  /** By `ProbeResult`. */
  byOutcome: Record<string, number>;
}

const SERVICE_NAME = 'account-manager.probe';
/** Each account at most so often. */
const EVERY_MS = 6 * HOUR_MS;
/** An account that a service has just given back is likely to be wanted again. */
const IDLE_MS = 10 * 60_000;
/** Time by which a lease outlasts the longest probe, for the database and a busy machine. */
const LEASE_SPARE_MS = 60_000;

/** An account under a lease of the probe's own. */
interface Subject extends ProbeMeans {
  accountId: string;
  leaseId: string;
  /** Before the lease: a probe is no use, and leaves the account's turn in the rotation as it was. */
  lastUsedAt: number | null;
  origin: Origin;
}

type Probe = (options: ProbeOptions) => Promise<ProbeOutcome>;

/**
 * Tries the sessions of idle accounts on Telegram, a few at a time, and applies what comes back like a caller's report.
 * Each is leased meanwhile, so a probe and a holder never share a session. An account whose lease was lost in the
 * meantime (an operator took it) is left as it is.
 */
export async function probeIdleAccounts(context: ProbeContext): Promise<ProbeSummary> {
  const { probe: settings, signal, cipher } = context;
  const summary: ProbeSummary = { probed: 0, byOutcome: {} };
  if (settings === undefined) return summary;
  // Two seconds and 35 MB, which an installation that does not probe shall not pay.
  const { probeSession } = await import('../telegram/probe-session.js');
  const startedAt = clock.monotonicMs();
  while (!signal.aborted && clock.monotonicMs() - startedAt < settings.budgetMs) {
    const subjects = await leaseSubjects(context, settings);
    if (subjects === null) break;
    const ended = await Promise.allSettled(
      subjects.map(async (subject) => {
        const verdict = await probeSubject(context, settings, { probe: probeSession, cipher }, subject);
        await giveBack(context, subject, verdict);
        if (verdict === null) return;
        summary.probed++;
        summary.byOutcome[verdict.result] = (summary.byOutcome[verdict.result] ?? 0) + 1;
      }),
    );
    // Its lease ends by itself.
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  }
  return summary;
}

/**
 * Leases the next accounts; null: none is due. One whose lease lock somebody holds has had its turn too: it is in use.
 */
async function leaseSubjects(context: ProbeContext, settings: ProbeSettings): Promise<Subject[] | null> {
  const { atOnce, timeoutMs, jitterMs } = settings;
  return context.database.transaction(async (sql, hooks) => {
    const batch = { ...context, ...hooks, sql };
    const accountIds = await lockProbeCandidates(sql, { everyMs: EVERY_MS, idleMs: IDLE_MS, limit: atOnce });
    if (accountIds.length === 0) return null;
    const work = await loadWork(sql, { accountIds, channels: [] });
    const free = [...work.accounts.values()].filter(
      ({ lease, condition }) => lease === null && canBeGranted(condition),
    );
    const lockValues = await takeLeaseLocks(
      batch,
      work,
      free.map(({ accountId }) => accountId),
    );
    const means = await beginProbes(sql, accountIds);
    const subjects = free.flatMap((account): Subject[] => {
      const { accountId, lastUsedAt } = account;
      const lockValue = lockValues.get(accountId);
      const probeMeans = means.get(accountId);
      if (lockValue === undefined || probeMeans === undefined) return [];
      const origin = { requestId: randomUUID(), traceparent: null, caller: null };
      const terms = {
        serviceName: SERVICE_NAME,
        caller: null,
        purpose: 'general',
        targetChannel: null,
        lockValue,
        // Long enough for the confirming connection.
        expiresAt: work.now + jitterMs + 2 * timeoutMs + LEASE_SPARE_MS,
      } as const;
      const { leaseId } = openLease(work, account, terms, {}, origin);
      account.lastUsedAt = lastUsedAt;
      return [{ ...probeMeans, accountId, leaseId, lastUsedAt, origin }];
    });
    await finishWork(batch, work);
    return subjects;
  });
}

/** Null: the shutdown came before the probe began. */
async function probeSubject(
  { log, signal }: ProbeContext,
  { apiId, apiHash, timeoutMs, jitterMs, server }: ProbeSettings,
  { probe, cipher }: { probe: Probe; cipher: SessionCipher },
  { accountId, keyId, sealed, proxy }: Subject,
): Promise<ProbeVerdict | null> {
  if (jitterMs > 0) await pause(randomInt(jitterMs), undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return null;
  let session: string;
  try {
    session = cipher.decrypt(keyId, sealed, accountId);
  } catch (error) {
    log.error('session cannot be opened', { account_id: accountId, error });
    return judgeProbe({ kind: 'unusable', detail: 'the session cannot be opened' }, null);
  }
  const tryOnce = () => probe({ session, apiId, apiHash, proxy, timeoutMs, server });
  const first = await tryOnce();
  const second = needsConfirmation(first) ? await tryOnce() : null;
  const verdict = judgeProbe(first, second);
  const last = second ?? first;
  log.info('account probed', {
    account_id: accountId,
    result: verdict.result,
    ...('detail' in last && { detail: last.detail }),
  });
  return verdict;
}

async function giveBack(
  context: ProbeContext,
  { accountId, leaseId, lastUsedAt, origin }: Subject,
  verdict: ProbeVerdict | null,
): Promise<void> {
  await context.database.transaction(async (sql, hooks) => {
    const work = await beginWork(sql, [accountId], []);
    const account = work.accounts.get(accountId);
    if (account?.lease?.leaseId === leaseId) {
      if (verdict?.report) {
        takeError(context, work, account, { ...verdict.report, serviceName: SERVICE_NAME, leaseId }, origin);
      }
      const counted = { invites: 0, messages: 0, contacts: 0 };
      const success = verdict?.result === 'healthy';
      endLease(work, account, 'released', work.now, 'account.released', { counted, success }, origin);
      account.lastUsedAt = lastUsedAt;
    } else {
      context.log.warn('lease of a probe was lost', { account_id: accountId });
    }
    await finishWork({ ...context, ...hooks, sql }, work);
  });
}
