import type { FastifyInstance } from 'fastify';
import { OPERATION_NAMES, OPERATIONS } from '../../../contracts/operations.js';
import { CONSOLE_PATH } from './console.js';
import { STREAM_PATH } from './event-stream.js';
import { PREFIX } from './operations.js';

/** Where to look: what a person wants who has only the address. */
const WHERE_TO_LOOK = {
  service: 'account-manager',
  begin: 'README.md of the project; `make up` prints the first requests',
  console: CONSOLE_PATH,
  documents: {
    conversation: 'docs/integrating.md',
    requests_and_replies: 'contracts/openapi.json',
    failures: 'docs/errors.md',
    operating: 'docs/operating.md',
    settings: 'docs/configuration.md',
  },
  health: { live: '/health/live', ready: '/health/ready', detailed: '/api/v1/health/detailed' },
  metrics: '/metrics',
  events: `GET ${PREFIX}${STREAM_PATH}, as server-sent events`,
  operations: OPERATION_NAMES.map((operation) => {
    const { summary, http } = OPERATIONS[operation];
    return { operation, request: `${http.method} ${PREFIX}${http.path}`, summary };
  }),
};

/** Answers at `/`, and where operations are, with what there is. Nothing in it is secret: it is in the contract. */
export const serveRoot = (app: FastifyInstance): void => {
  for (const url of ['/', PREFIX, `${PREFIX}/`]) app.get(url, () => WHERE_TO_LOOK);
};
