import { FAILURE_CODES, type FailureCode } from './failures.js';
import { OPERATIONS, type OperationName } from './operations.js';

/** Refusals that any request can meet, beside those of its operation. */
const OF_ANY: readonly FailureCode[] = [
  'VALIDATION_FAILED',
  'MALFORMED_MESSAGE',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'DEADLINE_EXCEEDED',
  'UNAVAILABLE',
  'INTERNAL',
];

/** Every code that a reply of the operation can carry, in the order of the table of failures. */
export const failuresOf = (operation: OperationName): FailureCode[] => {
  const { failures, changesState } = OPERATIONS[operation];
  const possible = new Set<FailureCode>([...failures, ...OF_ANY]);
  if (changesState) possible.add('IDEMPOTENCY_CONFLICT');
  return FAILURE_CODES.filter((code) => possible.has(code));
};
