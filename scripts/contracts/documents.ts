import { buildAsyncApi } from './asyncapi.js';
import { buildClientTypes } from './client-types.js';
import { buildOpenApi } from './openapi.js';
import { buildConfigurationPage, buildErrorsPage, buildMetricsPage } from './pages.js';
import { buildPythonFailures, buildPythonOperations } from './python.js';

const toJson = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

/** Every generated document, by its path from the root of the repository. */
export const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'contracts/asyncapi.json': () => toJson(buildAsyncApi()),
  'contracts/openapi.json': () => toJson(buildOpenApi()),
  'docs/configuration.md': buildConfigurationPage,
  'docs/errors.md': buildErrorsPage,
  'docs/metrics.md': buildMetricsPage,
  'packages/client/src/contract.ts': buildClientTypes,
  'packages/python/src/account_manager/failures.py': buildPythonFailures,
  'packages/python/src/account_manager/operations.py': buildPythonOperations,
};
