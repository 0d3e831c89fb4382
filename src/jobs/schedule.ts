import path from 'node:path';
import Bree from 'bree';
import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import { waitAtMost } from '../broker/wait-at-most.js';
import { type Cadence, openCron } from '../decide/jobs/cadence.js';
import type { JobStarter } from '../requests/handler.js';
import type { Log } from '../telemetry/log.js';
import type { RunSummary } from './run-due.js';
import type { WorkerOptions, WorkerReport } from './run-in-worker.js';

export interface ScheduleOptions {
  cadences: Readonly<Record<JobName, Cadence>>;
  worker: Omit<WorkerOptions, 'cadence'>;
  log: Log;
  onRun: (summary: RunSummary) => void;
  /** Where the compiled workers are. */
  workers?: string;
  /** A worker that has not ended so long after its time is up is ended. */
  terminateAfterMs?: number;
}

export interface Schedule extends JobStarter {
  /** Runs jobs from now on, each at its occurrences. */
  open: () => Promise<void>;
  /** Lets running jobs finish the chunk in hand, for at most `timeoutMs`; the rest of their work is another run's. */
  close: (options: { timeoutMs: number }) => Promise<void>;
}

const TERMINATE_AFTER_MS = 30_000;

/**
 * The table of the jobs: a worker thread of Bree runs at each occurrence, in every instance; the workers agree among
 * themselves who works (run-due.ts).
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { cadences, worker, log } = options;
  let isOpen = false;
  let isClosing = false;
  const bree = createBree(options, () => isClosing);
  const ends = watchEnds(bree);

  const start = async (job: JobName): Promise<void> => {
    if (!isOpen) return;
    try {
      if (!ends.has(job)) await bree.run(job);
      await ends.get(job)?.promise;
    } catch (error) {
      log.error('job could not be started', { job, error });
    }
  };
  const crons = JOB_NAMES.map((job) => ({ job, cron: openCron(cadences[job]) }));

  return {
    instance: worker.instance,
    open: async () => {
      await bree.start();
      isOpen = true;
      for (const { job, cron } of crons) cron.schedule(() => void start(job));
    },
    start,
    isClosing: () => isClosing,
    close: async ({ timeoutMs }) => {
      isClosing = true;
      if (!isOpen) return;
      isOpen = false;
      for (const { cron } of crons) cron.stop();
      await waitAtMost(bree.stop(), timeoutMs);
    },
  };
}

function createBree(options: ScheduleOptions, isClosing: () => boolean): Bree {
  const { cadences, worker, log, onRun, workers, terminateAfterMs = TERMINATE_AFTER_MS } = options;
  const root = workers ?? path.join(import.meta.dirname, 'workers');
  const crashed = new Set<string>();
  return new Bree({
    root: false,
    // The occurrences are found by the cadences' own interpreter, which looks back as well.
    timeout: false,
    closeWorkerAfterMs: worker.timeoutMs + terminateAfterMs,
    jobs: JOB_NAMES.map((job) => ({
      name: job,
      path: path.join(root, `${job}.js`),
      worker: { workerData: { ...worker, cadence: cadences[job] } satisfies WorkerOptions },
    })),
    logger: {
      info: () => {},
      warn: (message: unknown) => log.debug('scheduler', { detail: String(message) }),
      error: (message: unknown) => log.warn('scheduler', { detail: String(message) }),
    },
    // A crash is told twice: by its error, then by its exit code, which is 1 too for a worker that was ended.
    errorHandler: (error, { name }) => {
      if (!(error instanceof Error && / exited with code /.test(error.message))) {
        crashed.add(name);
        log.error('worker crashed', { job: name, error });
      } else if (crashed.delete(name) || isClosing()) log.debug('worker ended', { job: name });
      else log.error('worker ended before its job', { job: name, after_ms: worker.timeoutMs + terminateAfterMs });
    },
    workerMessageHandler: ({ message }) => {
      if (isReport(message)) onRun(message.summary);
    },
  });
}

/** The workers that run, by job; each promise resolves when its worker has ended. */
function watchEnds(bree: Bree): ReadonlyMap<string, { promise: Promise<void> }> {
  const ends = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  bree.on('worker created', (name: string) => {
    let resolve = () => {};
    const promise = new Promise<void>((settle) => (resolve = settle));
    ends.set(name, { promise, resolve });
  });
  bree.on('worker deleted', (name: string) => {
    ends.get(name)?.resolve();
    ends.delete(name);
  });
  return ends;
}

const isReport = (message: unknown): message is WorkerReport =>
  typeof message === 'object' && message !== null && (message as { kind?: unknown }).kind === 'ran';
