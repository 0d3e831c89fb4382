import { ERROR_CLASSES, type Purpose } from '../../../contracts/fields.js';
import type { FailureCode } from '../../../contracts/failures.js';
import { failuresOf } from '../../../contracts/failures-of.js';
import { OPERATION_NAMES, OPERATIONS } from '../../../contracts/operations.js';
import type { Instruments } from './instruments.js';

const TENTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const FENCED = OPERATION_NAMES.filter((name) => failuresOf(name).includes('LEASE_LOST'));

/** Metrics of callers' use of accounts: grants, actions, and reports of Telegram's errors. */
export const createAccountMetrics = (instruments: Instruments, boundedService: (name: string) => string) => {
  const { counter, histogram } = instruments;
  return {
    /** Counts one `account.allocate`. */
    countAllocation: createAllocations(instruments, boundedService),
    limitRemaining: histogram(
      'limit_remaining_ratio',
      'Share of the daily limit left once an action is acquired: 0 is none, 1 is all',
      ['action'],
      TENTHS,
    ),
    errors: counter('errors_total', 'Errors of Telegram reported by callers, by class', { class: ERROR_CLASSES }),
    fenceRejections: counter('fence_rejections_total', 'Requests refused for a stale lease or fence', {
      operation: FENCED,
    }),
  };
};

const createAllocations = ({ counter }: Instruments, boundedService: (name: string) => string) => {
  const allocations = counter('allocations_total', 'Allocations asked for; outcome is success or the failure code', {
    service: [],
    purpose: [],
    outcome: [],
  });
  const begun = new Set<string>();
  /** A service that has asked for a purpose once may be refused the next time. */
  const begin = (service: string, purpose: Purpose): void => {
    const name = `${service} ${purpose}`;
    if (begun.has(name)) return;
    begun.add(name);
    for (const outcome of ['success', ...OPERATIONS['account.allocate'].failures])
      allocations.inc({ service, purpose, outcome }, 0);
  };
  return (allocation: { service: string; purpose: Purpose; outcome: 'success' | FailureCode }): void => {
    const service = boundedService(allocation.service);
    begin(service, allocation.purpose);
    allocations.inc({ ...allocation, service });
  };
};
