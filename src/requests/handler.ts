import type { OperationName, ReplyBody, RequestBody } from '../../contracts/operations.js';
import type { FailureReply } from '../../contracts/failures.js';
import type { JobName } from '../../contracts/jobs.js';
import type { Cadence } from '../decide/jobs/cadence.js';
import type { AlertThresholds } from '../decide/jobs/judge-shares.js';
import type { Limits } from '../decide/limits/reentry.js';
import type { AccountMemory } from '../accounts/account-memory.js';
import type { FleetTotals } from '../accounts/fleet-totals.js';
import type { Surveys } from '../accounts/surveys.js';
import type { UnitOfWork } from '../accounts/unit-of-work.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import type { LocksWanted } from '../store/accounts/locks.js';
import type { CommitHooks } from '../store/commit-hooks.js';
import type { RecentEvents } from '../store/history/recent-events.js';
import type { Sql } from '../store/database.js';
import type { FleetSnapshot } from '../store/fleet/fleet-state.js';
import type { Writes } from '../store/writes.js';
import type { SessionCipher } from '../store/sessions/session-cipher.js';
import type { LeaseLocks } from '../redis/lease-locks.js';
import type { RecoveryQueue } from '../redis/recovery-queue.js';
import type { WindowCache } from '../redis/window-cache.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Access } from './access.js';
import type { LargeCounts } from './large-counts.js';

/** A request whose envelope and body are valid. */
export interface AcceptedRequest<K extends OperationName> {
  operation: OperationName;
  body: RequestBody<K>;
  /** Null only where the operation changes nothing. */
  messageId: string | null;
  requestId: string;
  /** Identity checked by the broker or the HTTP door; null where there is none. */
  caller: string | null;
  traceparent: string | null;
  /** How long the request may still wait for what it asks for, milliseconds; 0: it wants its answer now. */
  waitsForMs: number;
  /** Whether it may be asked again soon, where only a neighbouring transaction was in the way. */
  mayAskAgain: boolean;
  /** Accounts of the user that have room, found by a look through all of them. */
  found?: readonly string[];
  /** The answer, where what was asked for has been done outside of the transaction; it is only to be kept. */
  done?: Outcome<K>['reply'];
}

/** The answer to one request of a batch. */
export interface Outcome<K extends OperationName> {
  reply: ({ success: true } & ReplyBody<K>) | FailureReply;
  /** The reply as it may be stored, where that differs: without session data and phone numbers. */
  stored?: Record<string, unknown>;
  /** The request would rather wait than have this answer: nothing is stored, and it is asked again. */
  deferred?: boolean;
  /** The user has more accounts than a batch may look at: they are to be looked through before it is asked again. */
  search?: () => Promise<string[]>;
  /** Fields of the log line of the request, beside user, service and account. */
  log?: Record<string, unknown>;
}

/** How a dependency is, as the health routes tell it. */
export interface DependencyState {
  ok: boolean;
  detail?: string;
  latency_ms?: number;
}

/** Resources that operations work with beside the database. */
export interface Resources extends Limits {
  /** Whether an attempt reported as failed counts like a successful one. */
  countFailedAttempts: boolean;
  /** How long an error counts against its account. */
  errorWindowMs: number;
  access: Access;
  /** Whether callers that are not told apart may come from other machines. */
  networkIsTrusted: boolean;
  cipher: SessionCipher;
  locks: LeaseLocks;
  windowCache: WindowCache;
  surveys: Surveys;
  memory: AccountMemory;
  recentEvents: Pick<RecentEvents, 'keep'>;
  fleetSnapshot: () => Promise<FleetSnapshot>;
  fleetTotals: () => Promise<FleetTotals>;
  largeCounts: LargeCounts;
  recoveryQueue: RecoveryQueue;
  metrics: Metrics;
  /** The state of what the service depends on, by name; must not reject. */
  dependencies: () => Promise<Record<string, DependencyState>>;
  jobs: JobStarter;
  settings: FleetSettings;
  parked: ParkedDesk;
}

/** Settings of the service beside the limits, for callers that ask. */
export interface FleetSettings {
  alerts: AlertThresholds;
  nearLimitPercent: number;
  cadences: Readonly<Record<JobName, Cadence>>;
  historyDays: number;
}

/** Starts background jobs beside the schedule. */
export interface JobStarter {
  instance: string;
  /** Starts a worker that takes up what is to be run of the job; resolves when it has ended. Must not reject. */
  start: (job: JobName) => Promise<void>;
  /** At the shutdown: nothing is started any more, here, and nobody should wait for it. */
  isClosing: () => boolean;
}

/** Works on the parked messages, one request after the other in the whole installation. */
export interface ParkedDesk {
  /** Does what the request asks; `UNAVAILABLE` where the broker is away. Must not reject. */
  work: (
    request: Pick<AcceptedRequest<'admin.parked'>, 'body' | 'caller' | 'requestId'>,
  ) => Promise<Outcome<'admin.parked'>['reply']>;
}

/** One batch: its transaction, and what is to happen once the transaction's fate is known, after a commit beside the replies. */
export interface BatchContext extends Resources, CommitHooks {
  sql: Sql;
  log: Log;
  /**
   * Leaves writes to be sent with the batch's answers and its commit, in one statement; once per batch, and nothing in
   * the batch may read them.
   */
  writeWithAnswers: (writes: Writes) => void;
}

/** @template P what `prepare` has read; undefined where there is none */
export interface OperationHandler<K extends OperationName, P = undefined> {
  /** The locks that the batch cannot begin without; had before `handle`. */
  locks?: (requests: readonly AcceptedRequest<K>[]) => LocksWanted;
  /**
   * Sends what reads all that the batch is decided by, at once: it travels with the statement that takes the locks, runs
   * behind it, and costs no round trip of its own.
   */
  prepare?: (context: BatchContext, requests: readonly AcceptedRequest<K>[]) => Promise<P>;
  /** Decides and applies the requests that were not answered before; answers in their order. */
  handle: (context: BatchContext, requests: readonly AcceptedRequest<K>[], prepared: P) => Promise<Outcome<K>[]>;
  recall?: Recall<K>;
}

/** Puts back into a stored reply what is never stored, as far as the caller may still have it. */
export type Recall<K extends OperationName> = (
  context: BatchContext,
  repeats: readonly {
    operation: OperationName;
    requestKey: string;
    body: RequestBody<K>;
    stored: Record<string, unknown>;
  }[],
) => Promise<Record<string, unknown>[]>;

/** Operations whose requests are answered together, in one batch, whichever of them they are. */
export type AccountOperation = 'account.allocate' | NamedAccountOperation;
/** Those of one account that the request names. */
export type NamedAccountOperation =
  | 'account.renew'
  | 'account.release'
  | 'account.error'
  | 'action.acquire'
  | 'action.record';

/** Reads that a request needs before it is decided, beside the account that it names. */
export interface Needs {
  /** The channels whose counters are wanted. */
  channels?: readonly string[];
  permitIds?: readonly string[];
  /** Whether the actions counted in the account's present lease are wanted. */
  withCounted?: boolean;
  /** The account's last lease, ended or not, is wanted. */
  withLastLease?: boolean;
}

/** An operation on one account: what it is decided by, and its rule. */
export interface AccountRule<K extends NamedAccountOperation> {
  needs?: (body: RequestBody<K>) => Needs;
  /** Decides on the records in memory and changes them there; reads nothing more. */
  decide: (context: BatchContext, work: UnitOfWork, account: AccountRecord, request: AcceptedRequest<K>) => Outcome<K>;
}
