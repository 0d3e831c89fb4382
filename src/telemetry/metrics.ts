import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Purpose } from '../../contracts/fields.js';
import type { FailureCode } from '../../contracts/failures.js';
import { createBoundedLabel } from './bounded-label.js';

/** The fleet as one instance has read it, for all of them. */
export interface FleetState {
  totalAccounts: number;
  /** Active, in no wait, and with few errors. */
  healthyAccounts: number;
  floodWaitActive: number;
  blockedActive: number;
  /** Open leases by service name. */
  leasesByService: ReadonlyMap<string, number>;
  /** Sessions by the key that has sealed them. */
  sessionKeys: readonly { keyId: string; state: string; sessions: number }[];
  /** Events committed and not yet published. */
  outboxPending: number;
  /** Seconds since the oldest of them was committed; 0 when there is none. */
  outboxOldestAgeSeconds: number;
}

/** Connections of the database pool: open, of which idle; and requests that wait for one. */
export interface PoolState {
  open: number;
  idle: number;
  waiting: number;
}

/** More distinct service names than this are counted as `other`. */
const MAX_SERVICES = 100;
/** Gauges of prom-client whose names end in `_total`, which is for counters; `nodejs_active_*` by type remain. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** From a query answered in memory to a request that waited (`wait_ms`) for a minute. */
export const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Prefetch (contract: topology) bounds a batch at 256. */
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** From a job with nothing to do to one caught up after a night. */
const JOB_SECONDS = [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 3600, 36_000];
const TENTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/**
 * Declares every metric of the service; nothing else declares one. Labels take values of the contract, but for
 * service names, which only `countAllocation` and `setFleet` write, bounded.
 */
export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);

  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: `account_manager_${name}`, help, labelNames, registers });
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `account_manager_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram<L>({ name: `account_manager_${name}`, help, labelNames, buckets, registers });

  const totalAccounts = gauge('total_accounts', 'Accounts registered');
  const healthyAccounts = gauge('healthy_accounts', 'Accounts that are active, in no wait and without many errors');
  const floodWaitActive = gauge('flood_wait_active', 'Accounts in a flood wait');
  const blockedActive = gauge('blocked_active', 'Accounts blocked after a peer flood');
  const leasesActive = gauge('leases_active', 'Open leases by service', ['service']);
  const outboxPending = gauge('outbox_pending_events', 'Events committed and not yet published');
  const outboxOldestAge = gauge('outbox_oldest_age_seconds', 'Age of the oldest event not yet published; 0: none');
  const sessions = gauge(
    'sessions',
    'Sessions by the id of the key that has sealed them; state is current, old (to be sealed anew) or unknown',
    ['key_id', 'state'],
  );
  const alertsActive = gauge('alerts_active', 'Alerts raised and not yet resolved', ['severity']);
  const allocations = counter('allocations_total', 'Allocations asked for; outcome is success or the failure code', [
    'service',
    'purpose',
    'outcome',
  ]);

  let readPool = (): PoolState => ({ open: 0, idle: 0, waiting: 0 });
  new Gauge({
    name: 'account_manager_database_pool_connections',
    help: 'Open connections of the database pool by state',
    labelNames: ['state'],
    registers,
    collect() {
      const { open, idle } = readPool();
      this.set({ state: 'idle' }, idle);
      this.set({ state: 'used' }, open - idle);
    },
  });
  new Gauge({
    name: 'account_manager_database_pool_waiting_requests',
    help: 'Requests that wait for a database connection',
    registers,
    collect() {
      this.set(readPool().waiting);
    },
  });

  const boundedService = createBoundedLabel(MAX_SERVICES);

  return {
    registry,

    errors: counter('errors_total', 'Errors of Telegram reported by callers, by class', ['class']),
    operationDuration: histogram(
      'operation_duration_seconds',
      'From the arrival of a request to its reply; outcome is success or the failure code',
      ['operation', 'outcome'],
      DURATION_SECONDS,
    ),
    queueWait: histogram(
      'queue_wait_seconds',
      'From the arrival of a request in this process to the start of its batch',
      ['operation'],
      DURATION_SECONDS,
    ),
    batchSize: histogram(
      'batch_size',
      'Requests answered in one transaction; operation is accounts where it mixes those on accounts',
      ['operation'],
      BATCH_SIZES,
    ),
    refusals: counter(
      'refusals_total',
      'Requests refused, by failure code, and actions not allowed, by the limit that binds; the other label is empty',
      ['operation', 'code', 'rule'],
    ),
    limitRemaining: histogram(
      'limit_remaining_ratio',
      'Share of the daily limit left once an action is acquired: 0 is none, 1 is all',
      ['action'],
      TENTHS,
    ),
    fenceRejections: counter('fence_rejections_total', 'Requests refused for a stale lease or fence', ['operation']),
    duplicates: counter('duplicates_total', 'Repeated requests answered from the stored reply', ['operation']),
    denied: counter('denied_total', 'Requests refused at the door: nobody known, or not allowed', ['door', 'code']),
    throttled: counter(
      'throttled_total',
      'Requests refused because their caller, one of the access file, was over a limit of its own',
      ['caller', 'limit'],
    ),
    parked: counter('parked_total', 'Messages parked, by failure code', ['code']),
    notParked: counter('not_parked_total', 'Messages that the full parked queue did not keep, by failure code', [
      'code',
    ]),
    retried: counter('retried_total', 'Messages sent to a retry queue, by its delay', ['step']),
    dependencyUp: gauge('dependency_up', 'Whether a dependency can be worked with: 1 or 0', ['dependency']),
    dependencyFailures: counter(
      'dependency_failures_total',
      'Calls to a dependency that failed and that the service did without',
      ['dependency'],
    ),
    brokerProblems: gauge(
      'broker_problems',
      'What is wrong at the broker and was not mended, as this instance sees it',
    ),
    brokerRepairs: counter('broker_repairs_total', 'What was mended at the broker, by kind', ['what']),
    queueMessages: gauge('queue_messages', 'Messages that wait in a queue of the contract', ['queue']),
    brokerBlocked: gauge('broker_blocked', 'Whether the broker has blocked publishing: 1 or 0'),
    consumerUp: gauge('consumer_up', 'Whether a consumer is registered on a request queue: 1 or 0', ['queue']),

    streamReaders: gauge('event_stream_readers', 'Readers of the stream of events at this instance'),
    streamsDropped: counter('event_streams_dropped_total', 'Streams of events ended because their reader was too slow'),

    jobRuns: counter('job_runs_total', 'Runs of background jobs that ended here, by outcome', ['job', 'outcome']),
    jobDuration: histogram('job_duration_seconds', 'Length of an attempt at a run', ['job'], JOB_SECONDS),
    jobLag: histogram('job_lag_seconds', 'From the instant a run was due to its start', ['job'], JOB_SECONDS),
    recovered: counter(
      'recovered_accounts_total',
      'Accounts that became active again when their wait ended, by what saw it',
      ['by'],
    ),
    probes: counter('probes_total', 'Idle accounts tried on Telegram; outcome as in the log', ['outcome']),
    /** Counts one `account.allocate`. */
    countAllocation: (allocation: { service: string; purpose: Purpose; outcome: 'success' | FailureCode }): void => {
      allocations.inc({ ...allocation, service: boundedService(allocation.service) });
    },

    /** Shows the fleet as it now is. */
    setFleet: (fleet: FleetState): void => {
      totalAccounts.set(fleet.totalAccounts);
      healthyAccounts.set(fleet.healthyAccounts);
      floodWaitActive.set(fleet.floodWaitActive);
      blockedActive.set(fleet.blockedActive);
      outboxPending.set(fleet.outboxPending);
      outboxOldestAge.set(fleet.outboxOldestAgeSeconds);
      sessions.reset();
      for (const { keyId, state, sessions: sealed } of fleet.sessionKeys)
        sessions.set({ key_id: keyId, state }, sealed);
      // A service whose last lease has ended must not keep its last number.
      leasesActive.reset();
      for (const [service, leases] of fleet.leasesByService)
        leasesActive.inc({ service: boundedService(service) }, leases);
    },

    /** Shows the open alerts as they now are. */
    setAlerts: (alerts: readonly { severity: string }[]): void => {
      for (const severity of ['info', 'warning', 'critical']) {
        alertsActive.set({ severity }, alerts.filter((alert) => alert.severity === severity).length);
      }
    },

    /** Says where the state of the database pool is read at every scrape. */
    watchPool: (read: () => PoolState): void => {
      readPool = read;
    },
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
