import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LIMIT_REASONS } from '../../contracts/actions.js';
import { type AlertName, ALERTS } from '../../contracts/alerts.js';
import { EVENT_TYPES } from '../../contracts/events.js';
import { DISABLED_REASONS, ERROR_CLASSES, type Purpose } from '../../contracts/fields.js';
import { FAILURE_CODES, type FailureCode, FAILURES } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { JOB_NAMES } from '../../contracts/jobs.js';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import { RETRY_STEPS } from '../../contracts/topology.js';
import { VERSION } from '../version.js';
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

/** Requests in work, by the door they came through. */
export interface WorkState {
  amqp: number;
  http: number;
}

/** Gauges in which every instance shows the same, the whole installation: a query takes their `max`, not their `sum`. */
export const FLEET_GAUGES: ReadonlySet<string> = new Set(
  [
    'alerts_active',
    'blocked_active',
    'flood_wait_active',
    'healthy_accounts',
    'job_last_success_timestamp_seconds',
    'leases_active',
    'outbox_oldest_age_seconds',
    'outbox_pending_events',
    'queue_messages',
    'sessions',
    'stuck_dead_letters',
    'total_accounts',
  ].map((name) => `account_manager_${name}`),
);

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

/** Each label of a counter with the values that are known beforehand; callers choose the values of an empty one. */
type Labels<L extends string> = Readonly<Record<L, readonly string[]>>;

/** Every combination of the values. */
const combine = <L extends string>(labels: Labels<L>): Record<L, string>[] =>
  Object.entries<readonly string[]>(labels).reduce<Record<string, string>[]>(
    (sets, [name, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value }))),
    [{}],
  );

const CHANGING = OPERATION_NAMES.filter((name) => OPERATIONS[name].changesState);
const FENCED = OPERATION_NAMES.filter((name) => failuresOf(name).includes('LEASE_LOST'));
const PARKED_CODES = FAILURE_CODES.filter((code) => FAILURES[code].parked);
const PROBE_RESULTS = [
  'healthy',
  'unreachable',
  'unusable',
  'unconfirmed',
  ...DISABLED_REASONS.filter((reason) => reason !== 'manual'),
  ...ERROR_CLASSES,
];

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
  // Each begins with 0: `increase()` does not see the first event of a series that begins with 1.
  const counter = <L extends string = never>(name: string, help: string, labels: Labels<L> = {} as Labels<L>) => {
    const labelNames = Object.keys(labels) as L[];
    const made = new Counter<L>({ name: `account_manager_${name}`, help, labelNames, registers });
    for (const set of combine(labels)) made.inc(set, 0);
    return made;
  };
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
  const alertsActive = gauge('alerts_active', 'Alerts raised and not yet resolved', ['alert', 'severity']);
  const allocations = counter('allocations_total', 'Allocations asked for; outcome is success or the failure code', {
    service: [],
    purpose: [],
    outcome: [],
  });
  const refusals = counter(
    'refusals_total',
    'Requests refused, by failure code, and actions not allowed, by the limit that binds; the other label is empty',
    { operation: [], code: [], rule: [] },
  );
  for (const operation of OPERATION_NAMES)
    for (const code of failuresOf(operation)) refusals.inc({ operation, code, rule: '' }, 0);
  for (const operation of ['action.check', 'action.acquire'])
    for (const rule of LIMIT_REASONS) refusals.inc({ operation, code: '', rule }, 0);
  refusals.inc({ operation: 'unknown', code: 'UNKNOWN_OPERATION', rule: '' }, 0);
  gauge('build_info', 'Always 1; the version that runs here', ['version']).set({ version: VERSION }, 1);

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

  let readWork = (): WorkState => ({ amqp: 0, http: 0 });
  new Gauge({
    name: 'account_manager_requests_in_work',
    help: 'Requests taken and not yet answered, by door',
    labelNames: ['door'],
    registers,
    collect() {
      const { amqp, http } = readWork();
      this.set({ door: 'amqp' }, amqp);
      this.set({ door: 'http' }, http);
    },
  });

  const boundedService = createBoundedLabel(MAX_SERVICES);
  const begun = new Set<string>();
  /** A service that has asked for a purpose once may be refused the next time. */
  const beginAllocations = (service: string, purpose: Purpose): void => {
    const name = `${service} ${purpose}`;
    if (begun.has(name)) return;
    begun.add(name);
    for (const outcome of ['success', ...OPERATIONS['account.allocate'].failures])
      allocations.inc({ service, purpose, outcome }, 0);
  };

  return {
    registry,

    errors: counter('errors_total', 'Errors of Telegram reported by callers, by class', { class: ERROR_CLASSES }),
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
    refusals,
    limitRemaining: histogram(
      'limit_remaining_ratio',
      'Share of the daily limit left once an action is acquired: 0 is none, 1 is all',
      ['action'],
      TENTHS,
    ),
    fenceRejections: counter('fence_rejections_total', 'Requests refused for a stale lease or fence', {
      operation: FENCED,
    }),
    duplicates: counter('duplicates_total', 'Repeated requests answered from the stored reply', {
      operation: CHANGING,
    }),
    denied: counter('denied_total', 'Requests refused at the door: nobody known, or not allowed', {
      door: ['amqp', 'http'],
      code: ['UNAUTHENTICATED', 'FORBIDDEN'],
    }),
    throttled: counter(
      'throttled_total',
      'Requests refused because their caller, one of the access file, was over a limit of its own',
      { caller: [], limit: [] },
    ),
    parked: counter('parked_total', 'Messages parked, by failure code', { code: PARKED_CODES }),
    notParked: counter('not_parked_total', 'Messages that the full parked queue did not keep, by failure code', {
      code: PARKED_CODES,
    }),
    retried: counter('retried_total', 'Messages sent to a retry queue, by its delay', {
      step: RETRY_STEPS.map(({ header }) => header),
    }),
    repliesLost: counter(
      'replies_lost_total',
      'Replies to messages that could not be delivered; a repeat of a request that changes state gets the stored one',
    ),
    eventsPublished: counter('events_published_total', 'Events that the broker has confirmed, by type', {
      type: EVENT_TYPES,
    }),
    publishFailures: counter(
      'event_publish_failures_total',
      'Tries to publish events that failed, wholly or in part; each is made again',
    ),
    reconnects: counter('reconnects_total', 'Connections made again after they were lost', {
      dependency: ['broker', 'redis'],
    }),
    dependencyUp: gauge('dependency_up', 'Whether a dependency can be worked with: 1 or 0', ['dependency']),
    dependencyFailures: counter(
      'dependency_failures_total',
      'Calls to a dependency that failed and that the service did without',
      { dependency: ['redis'] },
    ),
    brokerProblems: gauge('broker_problems', 'Faults at the broker that were not mended, as this instance sees them'),
    brokerRepairs: counter('broker_repairs_total', 'What was mended at the broker, by kind', {
      what: ['queue', 'consumer', 'topology'],
    }),
    stuckDeadLetters: gauge(
      'stuck_dead_letters',
      'Messages that died in a queue and do not reach the dead letters; told only where RABBITMQ_MANAGEMENT_URL is set',
      ['queue'],
    ),
    queueMessages: gauge('queue_messages', 'Messages that wait in a queue of the contract', ['queue']),
    brokerBlocked: gauge('broker_blocked', 'Whether the broker has blocked publishing: 1 or 0'),
    consumerUp: gauge('consumer_up', 'Whether a consumer is registered on a request queue: 1 or 0', ['queue']),

    streamReaders: gauge('event_stream_readers', 'Readers of the stream of events at this instance'),
    streamsDropped: counter('event_streams_dropped_total', 'Streams of events ended because their reader was too slow'),

    jobRuns: counter('job_runs_total', 'Runs of background jobs that ended here, by outcome', {
      job: JOB_NAMES,
      outcome: ['done', 'failed', 'interrupted'],
    }),
    jobLastSuccess: gauge(
      'job_last_success_timestamp_seconds',
      'When the last run of a job that was done ended, at whichever instance, seconds since 1970; of a job that is new, when it was first seen',
      ['job'],
    ),
    jobDuration: histogram('job_duration_seconds', 'Length of an attempt at a run', ['job'], JOB_SECONDS),
    jobLag: histogram('job_lag_seconds', 'From the instant a run was due to its start', ['job'], JOB_SECONDS),
    recovered: counter(
      'recovered_accounts_total',
      'Accounts that became active again when their wait ended, by what saw it',
      { by: ['job', 'timer'] },
    ),
    probes: counter('probes_total', 'Idle accounts tried on Telegram; outcome as in the log', {
      outcome: PROBE_RESULTS,
    }),

    /** Counts one `account.allocate`. */
    countAllocation: (allocation: { service: string; purpose: Purpose; outcome: 'success' | FailureCode }): void => {
      const service = boundedService(allocation.service);
      beginAllocations(service, allocation.purpose);
      allocations.inc({ ...allocation, service });
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
    setAlerts: (alerts: readonly { kind: string; severity: string }[]): void => {
      alertsActive.reset();
      for (const alert of Object.keys(ALERTS) as AlertName[]) alertsActive.set({ alert, severity: ALERTS[alert] }, 0);
      for (const { kind, severity } of alerts) alertsActive.inc({ alert: kind, severity });
    },

    /** Says where the requests in work are read at every scrape. */
    watchWork: (read: () => WorkState): void => {
      readWork = read;
    },

    /** Says where the state of the database pool is read at every scrape. */
    watchPool: (read: () => PoolState): void => {
      readPool = read;
    },
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
