import { DISABLED_REASONS, ERROR_CLASSES } from '../../../contracts/fields.js';
import { JOB_NAMES } from '../../../contracts/jobs.js';
import type { Instruments } from './instruments.js';

/** From a job with nothing to do to one caught up after a night. */
const JOB_SECONDS = [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 3600, 36_000];
const PROBE_RESULTS = [
  'healthy',
  'unreachable',
  'unusable',
  'unconfirmed',
  ...DISABLED_REASONS.filter((reason) => reason !== 'manual'),
  ...ERROR_CLASSES,
];

/** Background jobs, and what some of them did. */
export const createJobMetrics = ({ counter, gauge, histogram }: Instruments) => ({
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
});
