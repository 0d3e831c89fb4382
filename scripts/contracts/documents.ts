import { buildAsyncApi } from './asyncapi.js';
import { buildOpenApi } from './openapi.js';

const toJson = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

/** Every generated document, by its path from the root of the repository. */
export const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'contracts/asyncapi.json': () => toJson(buildAsyncApi()),
  'contracts/openapi.json': () => toJson(buildOpenApi()),
};
