import type { Socket } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from '../../generated/prisma/client.js';
import { coalesceWrites } from '../coalesce-writes.js';
import { type CommitHooks, withHooks } from './commit-hooks.js';
import { nameStatement } from './name-statement.js';
import {
  CommitFailed,
  runAlone,
  runTransaction,
  type Sql,
  type SqlPart,
  type TransactionOptions,
  type TransactionSql,
} from './transaction.js';

export type { Sql, SqlPart, TransactionSql } from './transaction.js';

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  /** Called with faults of idle connections, which no query reports. */
  onConnectionError: (error: Error) => void;
}

/** Bound what one statement takes, and how long PostgreSQL waits for the next of a transaction. */
const STATEMENT_TIMEOUT_MS = 10_000;
const TRANSACTION_TIMEOUT_MS = 15_000;
/** A batch has its locks in milliseconds; what is held for so long is held by somebody who has forgotten it. */
const LOCK_TIMEOUT_MS = 3_000;
/** One writes while the other reads for the next batch. */
const UNLOCKED_CONNECTIONS = 2;
/** An account that is locked for longer is waited for by a batch that tells whose it is. */
const UNLOCKED_WAIT_MS = 50;
const CONNECT_TIMEOUT_MS = 3_000;
/**
 * A connection on which nothing comes and goes for so long is dead, whatever the operating system knows of it: the
 * server would have ended the statement, and the pool an idle connection (10 s).
 */
const SILENCE_TIMEOUT_MS = 12_000;
const PROBE_PAUSE_MS = 250;

export type Database = ReturnType<typeof createDatabase>;

function openPool(
  url: string,
  onConnectionError: (error: Error) => void,
  { max, lockWaitMs, settings }: { max: number; lockWaitMs: number; settings: string },
): pg.Pool {
  const pool = new pg.Pool({
    ...readUrl(url, settings),
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: lockWaitMs,
    idle_in_transaction_session_timeout: TRANSACTION_TIMEOUT_MS,
    application_name: 'account-manager',
    keepAlive: true,
    pipeline: true,
    types,
  });
  pool.on('error', onConnectionError);
  pool.on('connect', (client) => {
    endWhenSilent(socketOf(client));
    coalesceWrites(socketOf(client));
  });
  return pool;
}

/** PostgreSQL through Prisma: transactions, a probe, and what its faults mean. */
export function createDatabase({ url, poolSize, onConnectionError }: DatabaseOptions) {
  const pool = openPool(url, onConnectionError, {
    max: poolSize,
    lockWaitMs: LOCK_TIMEOUT_MS,
    settings: SETTINGS,
  });
  const unlocked = openPool(url, onConnectionError, {
    max: UNLOCKED_CONNECTIONS,
    lockWaitMs: UNLOCKED_WAIT_MS,
    settings: `${SETTINGS} ${PLANNED_ONCE}`,
  });
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, {
      onConnectionError,
      disposeExternalPool: true,
      statementNameGenerator: ({ sql }) => nameStatement(sql),
    }),
  });

  /** Resolves when the database takes writes; rejects with what it says otherwise. */
  async function probe(): Promise<void> {
    const { rows } = await pool.query<{ read_only: boolean }>(
      "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only",
    );
    if (rows[0]?.read_only !== false) throw new Error('the database is read-only');
  }

  /**
   * Resolves once the database takes writes again; rejects when the signal aborts. `onFailure` is told every time why it
   * does not; where that throws, nobody waits any longer.
   */
  async function waitUntilAvailable(signal: AbortSignal, onFailure?: (error: unknown) => void): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await probe();
      } catch (error) {
        onFailure?.(error);
        await pause(PROBE_PAUSE_MS, signal);
      }
    }
  }

  return {
    /** For reads outside a transaction. */
    reader: prisma as Sql,
    /** For batches that hold no locks: their statements are planned once, whatever their values. */
    unlocked: {
      sql: plainSql(unlocked),
      write: <T>(statement: SqlPart, traceparents: readonly (string | null)[]): Promise<T> =>
        runAlone(unlocked, statement, onConnectionError, traceparents),
    },
    /** Resolves as `withHooks` does. */
    transaction: <T>(
      work: (sql: TransactionSql, hooks: CommitHooks) => Promise<T>,
      options?: TransactionOptions & { waits?: boolean },
    ): Promise<T> =>
      withHooks((hooks) => runTransaction(pool, (sql) => work(sql, hooks), onConnectionError, options), options),
    probe,
    waitUntilAvailable,
    poolState: () => ({
      total: pool.totalCount + unlocked.totalCount,
      idle: pool.idleCount + unlocked.idleCount,
      waiting: pool.waitingCount + unlocked.waitingCount,
    }),
    close: async () => {
      await Promise.all([prisma.$disconnect(), unlocked.end()]);
    },
  };
}

const plainSql = (pool: pg.Pool): Sql => {
  const run = (query: TemplateStringsArray | SqlPart, given: unknown[]) => {
    const { text, values } = query instanceof Prisma.Sql ? query : Prisma.sql(query, ...given);
    return pool.query<pg.QueryResultRow>({ name: nameStatement(text), text, values });
  };
  return {
    $queryRaw: async <R>(query: TemplateStringsArray | SqlPart, ...given: unknown[]) =>
      (await run(query, given)).rows as R,
    $executeRaw: async (query, ...given) => (await run(query, given)).rowCount ?? 0,
  };
};

/** As Prisma's adapter has it: a bigint is one. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, BigInt);

/** The connection to the server, encrypted or not. */
export const socketOf = (client: pg.ClientBase): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;

/** A timed-out query alone would leave its connection in the pool, and whoever got it next would wait as long. */
function endWhenSilent(socket: Socket): void {
  socket.setTimeout(SILENCE_TIMEOUT_MS, () => socket.destroy(new Error('connection timeout: the database is silent')));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      signal.removeEventListener('abort', aborted);
      resolve();
    }
    function aborted() {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    signal.addEventListener('abort', aborted, { once: true });
  });
}

/**
 * Compiling a plan costs more than any statement here takes. Every hot statement has its index; the statistics of a
 * table that was small a moment ago must not talk the planner out of it. Prisma's adapter sends instants without an
 * offset and drops the offset of those it reads, so the session must speak UTC.
 */
const SETTINGS =
  '-c jit=off -c enable_seqscan=off -c TimeZone=UTC ' +
  // Says that who writes here writes an account's row along with what belongs to it (migration: guarded_writes).
  '-c account_manager.keeps_versions=on';
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';

/**
 * Settings in the URL stand beside ours; in the driver they would replace them. Prisma's own URL parameters would be
 * sent to PostgreSQL as settings, which it refuses.
 */
function readUrl(url: string, settings: string): { connectionString: string; options: string } {
  const parsed = new URL(url);
  const given = parsed.searchParams.get('options') ?? '';
  for (const name of ['options', 'schema', 'connection_limit', 'pool_timeout', 'pgbouncer'])
    parsed.searchParams.delete(name);
  return { connectionString: parsed.href, options: `${given} ${settings}`.trim() };
}

/**
 * The meaning of a database fault for the work at hand:
 * `conflict`: another transaction was in the way, the same work may succeed at once;
 * `locked`: another transaction has a row and keeps it, so the work on that row waits; nothing was changed;
 * `unavailable`: the database is away, full or refuses writes, the work waits for it; nothing was changed;
 * `undecided`: it went away at the commit, so the work may be done or not;
 * `defect`: the statement itself is at fault.
 */
export type DatabaseFault = 'conflict' | 'locked' | 'unavailable' | 'undecided' | 'defect';

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SERIALIZATION_FAILURE = '40001';
const CONFLICT_STATES = new Set([SERIALIZATION_FAILURE, '40P01', '23505']);
const LOCK_NOT_AVAILABLE = '55P03';
// Connection (08), resources (53), operator intervention (57), system (58), read-only transaction (25006).
const UNAVAILABLE_STATES = /^(08|53|57|58)|^25006$/;
// https://www.prisma.io/docs/orm/reference/error-reference
const UNAVAILABLE_PRISMA_CODES = new Set([
  'P1000',
  'P1001',
  'P1002',
  'P1003',
  'P1008',
  'P1011',
  'P1017',
  'P2024',
  'P2028',
  'P2037',
]);
const UNAVAILABLE_SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const UNAVAILABLE_TEXT =
  /connection (terminated|ended|timeout)|timeout exceeded when trying to connect|client has encountered a connection error|not queryable|server has closed the connection|can't reach database/i;

/** Tells what a thrown error means; looks through Prisma's wrappers for PostgreSQL's own code. */
export function classifyDatabaseFault(error: unknown): DatabaseFault {
  const fault = classifyCause(error);
  return fault === 'unavailable' && error instanceof CommitFailed ? 'undecided' : fault;
}

function classifyCause(error: unknown): Exclude<DatabaseFault, 'undecided'> {
  for (const candidate of errorChain(error)) {
    const code = candidate.originalCode ?? candidate.code;
    if (typeof code !== 'string') {
      if (UNAVAILABLE_TEXT.test(candidate.message ?? '')) return 'unavailable';
      continue;
    }
    if (CONFLICT_STATES.has(code) || code === 'P2034' || code === 'P2002') return 'conflict';
    if (code === LOCK_NOT_AVAILABLE) return 'locked';
    if (UNAVAILABLE_STATES.test(code) || UNAVAILABLE_PRISMA_CODES.has(code) || UNAVAILABLE_SYSTEM_CODES.has(code))
      return 'unavailable';
    if (UNAVAILABLE_TEXT.test(candidate.message ?? '')) return 'unavailable';
  }
  return 'defect';
}

/** Whether a guarded write found something changed. */
export const isStale = (error: unknown): boolean =>
  errorChain(error).some(({ code, originalCode }) => (originalCode ?? code) === SERIALIZATION_FAILURE);

interface ErrorLike {
  code?: unknown;
  originalCode?: unknown;
  message?: string;
  cause?: unknown;
  meta?: { driverAdapterError?: unknown; code?: unknown };
}

/** The error and what it wraps, innermost first: PostgreSQL's own code says more than the wrapper's. */
function errorChain(error: unknown): ErrorLike[] {
  const chain: ErrorLike[] = [];
  let current = error as ErrorLike | null | undefined;
  for (let depth = 0; typeof current === 'object' && current !== null && depth < 8; depth++) {
    chain.unshift(current);
    current = (current.meta?.driverAdapterError ?? current.cause) as ErrorLike | null | undefined;
  }
  return chain;
}
