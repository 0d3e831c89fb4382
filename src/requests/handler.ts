import type { OperationName, ReplyBody, RequestBody } from '../../contracts/operations.js';
import type { FailureReply } from '../../contracts/failures.js';
import type { JobName } from '../../contracts/jobs.js';
import type { Limits } from '../decide/limits/reentry.js';
import type { Sql, SqlPart } from '../store/database.js';
import type { Writes } from '../store/writes.js';
import type { SessionCipher } from '../store/sessions/session-cipher.js';
import type { LeaseLocks } from '../redis/lease-locks.js';
import type { RecoveryQueue } from '../redis/recovery-queue.js';
import type { WindowCache } from '../redis/window-cache.js';
import type { ParkedDesk } from '../operations/admin/parked.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Access } from './access.js';

/** A request whose envelope and body are valid. */
export interface AcceptedRequest<K extends OperationName> {
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
  /** What the log line of the request says beside user, service and account. */
  log?: Record<string, unknown>;
}

/** How a dependency is, as the health routes tell it. */
export interface DependencyState {
  ok: boolean;
  detail?: string;
  latency_ms?: number;
}

/** What operations work with beside the database. */
export interface Resources extends Limits {
  /** Whether an attempt reported as failed counts like a successful one. */
  countFailedAttempts: boolean;
  /** How long an error counts against its account. */
  errorWindowMs: number;
  access: Access;
  cipher: SessionCipher;
  locks: LeaseLocks;
  windowCache: WindowCache;
  recoveryQueue: RecoveryQueue;
  metrics: Metrics;
  /** The state of what the service depends on, by name; must not reject. */
  dependencies: () => Promise<Record<string, DependencyState>>;
  jobs: JobStarter;
  parked: ParkedDesk;
}

/** Starts background jobs beside the schedule. */
export interface JobStarter {
  instance: string;
  /** Starts a worker that takes up what is to be run of the job; resolves when it has ended. Must not reject. */
  start: (job: JobName) => Promise<void>;
  /** At the shutdown: nothing is started any more, here, and nobody should wait for it. */
  isClosing: () => boolean;
}

/** One batch: its transaction, and what is to happen once the transaction's fate is known. */
export interface BatchContext extends Resources {
  sql: Sql;
  log: Log;
  /**
   * Leaves writes to be sent with the batch's answers and its commit, in one statement; once per batch, and nothing in
   * the batch may read them.
   */
  leaveToCommit: (writes: Writes) => void;
  /** Runs after the commit, beside the replies; must not reject. */
  afterCommit: (act: () => void | Promise<void>) => void;
  /** Runs when the transaction is rolled back; must not reject. */
  afterRollback: (act: () => void | Promise<void>) => void;
}

/** Decides and applies a batch of requests; answers in their order. */
export type BatchHandler<K extends OperationName> = (
  context: BatchContext,
  requests: readonly AcceptedRequest<K>[],
) => Promise<Outcome<K>[]>;

export interface OperationHandler<K extends OperationName> {
  /** The locks that the batch cannot begin without; had before `handle`. */
  lock?: (requests: readonly AcceptedRequest<K>[]) => SqlPart;
  handle: BatchHandler<K>;
  /** Puts back into a stored reply what is never stored, as far as the caller may still have it. */
  recall?: (
    context: BatchContext,
    repeats: readonly { requestKey: string; body: RequestBody<K>; stored: Record<string, unknown> }[],
  ) => Promise<Record<string, unknown>[]>;
}
