import { accountExamples } from './examples/account.js';
import { actionExamples } from './examples/action.js';
import { adminExamples } from './examples/admin.js';
import type { Examples } from './examples/example.js';
import { queryExamples } from './examples/query.js';
import { viewExamples } from './examples/views.js';
import type { OperationName } from './operations.js';

/** At least one request and reply of every operation; the documents show them, and tests send them. */
export const EXAMPLES: Examples<OperationName> = {
  ...accountExamples,
  ...actionExamples,
  ...queryExamples,
  ...viewExamples,
  ...adminExamples,
};
