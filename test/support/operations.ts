import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { OperationName, ReplyBody } from '../../contracts/operations.js';
import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import type { FailureReply } from '../../contracts/failures.js';
import { DEFAULT_ERROR_WINDOW_MS } from '../../src/decide/condition/errors.js';
import { DEFAULT_LIMITS, type LimitsPolicy } from '../../src/decide/limits/limits-policy.js';
import { type Cadence, parseCadence } from '../../src/decide/jobs/cadence.js';
import type { AccessPolicy } from '../../src/decide/access/access-policy.js';
import type { Reentry } from '../../src/decide/limits/reentry.js';
import { createFleetSnapshot, createFleetTotals } from '../../src/accounts/fleet-totals.js';
import { type AccountMemory, createAccountMemory } from '../../src/accounts/account-memory.js';
import { createRecentEvents, type RecentEvents } from '../../src/store/history/recent-events.js';
import { createSurveys } from '../../src/accounts/surveys.js';
import { type Access, createAccess } from '../../src/requests/access.js';
import type { JobStarter } from '../../src/requests/handler.js';
import { createDispatch } from '../../src/requests/dispatch.js';
import type { Dispatch, IncomingRequest } from '../../src/requests/request.js';
import { createLargeCounts } from '../../src/requests/large-counts.js';
import { createWaitingRoom } from '../../src/requests/waiting-room.js';
import { createLeaseLocks } from '../../src/redis/lease-locks.js';
import { createRecoveryQueue } from '../../src/redis/recovery-queue.js';
import { createWindowCache } from '../../src/redis/window-cache.js';
import { listen } from '../../src/store/listen.js';
import { FREED_CHANNEL, readNotice } from '../../src/store/notices.js';
import { createDatabase as connectDatabase } from '../../src/store/database.js';
import { openSessionCipher } from '../../src/store/sessions/session-cipher.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.js';
import { createDatabase, openPool, type TestDatabase } from './database.js';
import { connectPatiently, createRedis, type TestRedis } from './redis.js';
import { telethonSession } from './session-strings.js';

type Answer<K extends OperationName> = ({ success: true } & ReplyBody<K>) | FailureReply;

/** The operations on a database and a Redis of their own, called as a door calls them. */
export interface OperationsHarness {
  dispatch: Dispatch;
  /** Calls an operation with a fresh message id, or the one given. */
  call: <K extends OperationName>(
    operation: K,
    body: Record<string, unknown>,
    request?: Partial<IncomingRequest>,
  ) => Promise<Answer<K>>;
  /** As `call`; throws unless the reply is a success. */
  succeed: <K extends OperationName>(
    operation: K,
    body: Record<string, unknown>,
    request?: Partial<IncomingRequest>,
  ) => Promise<ReplyBody<K>>;
  /** As `call`; throws unless it is refused, answers the code. */
  refusal: (
    operation: OperationName,
    body: Record<string, unknown>,
    request?: Partial<IncomingRequest>,
  ) => Promise<FailureReply['error']>;
  /** Registers accounts for a user; answers their ids. */
  registerAccounts: (userId: number, count: number) => Promise<string[]>;
  /** Straight to the database, to look and to move instants. */
  query: <T extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<T[]>;
  /** A second process on the same database and Redis. */
  another: () => Dispatch;
  databaseUrl: string;
  /** The rights that `dispatch` judges by. */
  access: Access;
  /** The memory of the process behind `dispatch`. */
  memory: AccountMemory;
  /** The events that the process behind `dispatch` has committed. */
  recentEvents: RecentEvents;
  /** Counted by all processes together. */
  metrics: Metrics;
  redis: TestRedis;
  close: () => Promise<void>;
}

const NOTHING_PARKED = { success: true as const, total: 0, messages: [], next_cursor: null, results: [] };

const CADENCE = parseCadence('300')!;
const DEFAULT_SETTINGS = {
  alerts: { floodWaitPercent: 10, blockedPercent: 5, nearLimitsPercent: 30 },
  nearLimitPercent: 80,
  cadences: Object.fromEntries(JOB_NAMES.map((job) => [job, CADENCE])) as Record<JobName, Cadence>,
  historyDays: 30,
};

const DEFAULT_REENTRY: Reentry = { days: 3, share: 0.5 };

let nextPhone = 49_150_000_000;

/** `database`, `redis`: those of the test's own in place of an empty one and a block of the shared one; dropped in the end. */
export async function startOperations(
  options: {
    policy?: LimitsPolicy;
    reentry?: Reentry;
    countFailedAttempts?: boolean;
    database?: TestDatabase;
    redis?: TestRedis;
    jobs?: JobStarter;
    access?: AccessPolicy;
  } = {},
): Promise<OperationsHarness> {
  const testDatabase = options.database ?? (await createDatabase());
  const redis = options.redis ?? (await createRedis());
  const closers: (() => unknown)[] = [];
  const redisReady: Promise<unknown>[] = [];
  const accesses: Access[] = [];
  const memories: AccountMemory[] = [];
  const kept: RecentEvents[] = [];
  const metrics = createMetrics();
  const cipher = openSessionCipher(['ab'.repeat(32)]);
  const log = createLog({ level: 'error', instance: 'test' });

  function another(): Dispatch {
    const database = connectDatabase({ url: testDatabase.url, poolSize: 4, onConnectionError: () => {} });
    const connect = (purpose: 'locks' | 'windows' | 'recoveryQueue') => {
      const connection = connectPatiently(redis.url, purpose);
      redisReady.push(once(connection.client, 'ready'));
      return connection;
    };
    const locksConnection = connect('locks');
    const windowsConnection = connect('windows');
    const recoveriesConnection = connect('recoveryQueue');
    closers.push(
      () => database.close(),
      () => locksConnection.close(),
      () => windowsConnection.close(),
      () => recoveriesConnection.close(),
    );
    const access = createAccess(options.access ?? null, database.reader);
    accesses.push(access);
    const waitingRoom = createWaitingRoom();
    const surveys = createSurveys(database.reader);
    const memory = createAccountMemory();
    memories.push(memory);
    const recentEvents = createRecentEvents();
    recentEvents.want(true);
    kept.push(recentEvents);
    const fleetSnapshot = createFleetSnapshot(database.reader);
    const runner = {
      database,
      log,
      resources: {
        policy: options.policy ?? DEFAULT_LIMITS,
        countFailedAttempts: options.countFailedAttempts ?? true,
        access,
        networkIsTrusted: false,
        cipher,
        locks: createLeaseLocks(locksConnection),
        windowCache: createWindowCache(windowsConnection),
        surveys,
        memory,
        recentEvents,
        fleetSnapshot,
        fleetTotals: createFleetTotals(database.reader, {
          readSnapshot: fleetSnapshot,
          reentry: options.reentry ?? DEFAULT_REENTRY,
        }),
        largeCounts: createLargeCounts(),
        recoveryQueue: createRecoveryQueue(recoveriesConnection, () => {}),
        metrics,
        errorWindowMs: DEFAULT_ERROR_WINDOW_MS,
        reentry: options.reentry ?? DEFAULT_REENTRY,
        dependencies: () => Promise.resolve({}),
        settings: DEFAULT_SETTINGS,
        parked: { work: () => Promise.resolve(NOTHING_PARKED) },
        jobs: options.jobs ?? { instance: 'test', start: () => Promise.resolve(), isClosing: () => false },
      },
    };
    const listener = listen({
      url: testDatabase.url,
      channel: FREED_CHANNEL,
      onNotification: (notice) => {
        const { userId, isActivated } = readNotice(notice);
        if (isActivated) {
          surveys.forget(userId);
          memory.lines.forget(userId);
        }
        waitingRoom.wake(userId);
      },
      onListening: () => {},
    });
    closers.push(() => listener.close());
    return createDispatch(runner, waitingRoom);
  }

  const dispatch = another();
  await Promise.all(redisReady);
  // As a replica, so that a test may move what is history; the service is refused.
  const asReplica = '-c TimeZone=UTC -c session_replication_role=replica';
  const pool = openPool(testDatabase.url, asReplica);
  const call: OperationsHarness['call'] = async (operation, body, request = {}) => {
    const messageId = request.messageId ?? randomUUID();
    const whole = {
      caller: null,
      deadlineAt: null,
      expiresAt: null,
      traceparent: null,
      requestId: messageId,
      ...request,
      operation,
      messageId,
      body,
    };
    return await dispatch(whole);
  };
  const succeed: OperationsHarness['succeed'] = async (operation, body, request) => {
    const reply = await call(operation, body, request);
    if (!reply.success) throw new Error(`${operation}: ${JSON.stringify(reply.error)}`);
    return reply;
  };

  return {
    dispatch,
    call,
    succeed,
    refusal: async (operation, body, request) => {
      const reply = await call(operation, body, request);
      if (reply.success) throw new Error(`${operation} was not refused: ${JSON.stringify(reply)}`);
      return reply.error;
    },
    registerAccounts: async (userId, count) => {
      const accounts = Array.from({ length: count }, () => ({
        user_id: userId,
        phone: `+${nextPhone++}`,
        session_data: telethonSession(),
      }));
      const { accounts: registered } = await succeed('admin.register', { accounts });
      return registered.map((account) => account.account_id ?? '');
    },
    query: async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool.query<T>(sql, values)).rows,
    another,
    databaseUrl: testDatabase.url,
    access: accesses[0]!,
    memory: memories[0]!,
    recentEvents: kept[0]!,
    metrics,
    redis,
    close: async () => {
      await pool.end();
      await Promise.all(closers.map((close) => close()));
      await redis.drop();
      await testDatabase.drop();
    },
  };
}
