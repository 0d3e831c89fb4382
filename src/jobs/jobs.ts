import type { JobName } from '../../contracts/jobs.js';
import type { Cadence } from '../decide/jobs/cadence.js';
import type { Limits } from '../decide/limits/reentry.js';
import type { JobStarter } from '../requests/handler.js';
import type { LogFormat, LogLevel } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { type JobSettings, PROBE_COUNT } from './job.js';
import { createRecoveryTimer, type RecoveryTimerOptions } from './recovery-timer.js';
import type { WorkerOptions } from './run-in-worker.js';
import { createSchedule } from './schedule.js';
import { watchRuns } from './watch-runs.js';

/** Settings that the jobs take from the service's configuration. */
export interface JobsSource {
  databaseUrl: string;
  redisUrl: string;
  clientTls?: WorkerOptions['clientTls'];
  sessionEncryptionKeys: readonly string[];
  instanceName: string;
  logLevel: LogLevel;
  logFormat: LogFormat;
  limits: Pick<Limits, 'policy'>;
  reentry: Limits['reentry'];
  errorWindowMs: number;
  jobs: Omit<JobSettings, keyof Limits | 'errorWindowMs'> & {
    enabled: boolean;
    cadences: Readonly<Record<JobName, Cadence>>;
    leaseSeconds: number;
    timeoutSeconds: number;
  };
}

export interface JobsOptions extends Omit<RecoveryTimerOptions, 'onRecovered'> {
  config: JobsSource;
  metrics: Metrics;
}

export interface Jobs {
  starter: JobStarter;
  start: () => Promise<void>;
  /** Lets what runs finish the chunk in hand, for at most `timeoutMs`. */
  stop: (options: { timeoutMs: number }) => Promise<void>;
}

/** Everything that works in the background of this instance: the schedule, who looks after it, and the recovery timer. */
export function createJobs({ config, metrics, ...context }: JobsOptions): Jobs {
  const { database, log } = context;
  const { enabled, cadences, leaseSeconds, timeoutSeconds, ...settings } = config.jobs;
  const schedule = createSchedule({
    cadences,
    worker: {
      databaseUrl: config.databaseUrl,
      redisUrl: config.redisUrl,
      clientTls: config.clientTls,
      sessionEncryptionKeys: config.sessionEncryptionKeys,
      instance: config.instanceName,
      logLevel: config.logLevel,
      logFormat: config.logFormat,
      leaseMs: leaseSeconds * 1000,
      timeoutMs: timeoutSeconds * 1000,
      settings: {
        ...settings,
        policy: config.limits.policy,
        reentry: config.reentry,
        errorWindowMs: config.errorWindowMs,
      },
    },
    log,
    onRun: ({ job, outcome, counts, durationMs, lagMs }) => {
      metrics.jobRuns.inc({ job, outcome });
      metrics.jobDuration.observe({ job }, durationMs / 1000);
      metrics.jobLag.observe({ job }, lagMs / 1000);
      metrics.recovered.inc({ by: 'job' }, counts.recovered ?? 0);
      for (const [name, quantity] of Object.entries(counts)) {
        if (name.startsWith(PROBE_COUNT)) metrics.probes.inc({ outcome: name.slice(PROBE_COUNT.length) }, quantity);
      }
    },
  });
  const watch = watchRuns({
    database,
    cadences,
    jobs: schedule,
    log,
    onAlerts: metrics.setAlerts,
    onDone: (job, doneAt) => metrics.jobLastSuccess.set({ job }, doneAt / 1000),
  });
  const timer = createRecoveryTimer({
    ...context,
    onRecovered: (accounts) => metrics.recovered.inc({ by: 'timer' }, accounts),
  });

  return {
    starter: schedule,
    start: async () => {
      if (!enabled) return;
      await schedule.open();
      watch.start();
      timer.start();
    },
    stop: async ({ timeoutMs }) => {
      await Promise.all([watch.stop(), timer.stop(), schedule.close({ timeoutMs })]);
    },
  };
}
