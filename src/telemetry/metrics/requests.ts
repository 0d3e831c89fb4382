import { LIMIT_REASONS } from '../../../contracts/actions.js';
import { failuresOf } from '../../../contracts/failures-of.js';
import { OPERATION_NAMES, OPERATIONS } from '../../../contracts/operations.js';
import type { Instruments } from './instruments.js';

/** Requests in work, by the door they came through. */
export interface WorkState {
  amqp: number;
  http: number;
}

/** From a query answered in memory to a request that waited (`wait_ms`) for a minute. */
export const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Prefetch (contract: topology) bounds a batch at 256. */
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

const CHANGING = OPERATION_NAMES.filter((name) => OPERATIONS[name].changesState);

/** Requests from their arrival at a door to their reply, whatever they ask for. */
export const createRequestMetrics = (instruments: Instruments) => {
  const { counter, histogram } = instruments;
  return {
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
    memoryBatches: counter(
      'memory_batches_total',
      'Batches of requests on accounts that were begun without locks, on what the process remembers: written, given over to locks as they need them, or out of date',
      { outcome: ['written', 'locks', 'stale'] },
    ),
    refusals: createRefusals(instruments),
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
    /** Says where the requests in work are read at every scrape. */
    watchWork: createWorkGauge(instruments),
  };
};

/** Begins with 0 for each code of an operation and each limit of an action, not for every combination of the labels. */
const createRefusals = ({ counter }: Instruments) => {
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
  return refusals;
};

const createWorkGauge = ({ scrapedGauge }: Instruments) => {
  let readWork = (): WorkState => ({ amqp: 0, http: 0 });
  scrapedGauge('requests_in_work', 'Requests taken and not yet answered, by door', ['door'], (gauge) => {
    const { amqp, http } = readWork();
    gauge.set({ door: 'amqp' }, amqp);
    gauge.set({ door: 'http' }, http);
  });
  return (read: () => WorkState): void => {
    readWork = read;
  };
};
