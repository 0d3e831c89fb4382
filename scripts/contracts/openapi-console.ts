import { CONSOLE_COOKIE, loginRequest, sessionReply } from '../../contracts/console.js';
import { ENVELOPE } from '../../contracts/envelope.js';
import { toSchema } from './schemas.js';

const DRAFT = 'draft-2020-12';
const json = (schema: object) => ({ [ENVELOPE.contentType]: { schema } });
const failed = (description: string) => ({ description, content: json({ $ref: '#/components/schemas/FailureReply' }) });
const session = (description: string) => ({ description, content: json(toSchema(sessionReply, DRAFT)) });
const route = (summary: string, rest: object) => ({ summary, tags: ['console'], security: [], ...rest });

const FOREIGN = failed('Sent by a page of another site');

/** Paths that the console calls beside the operations. */
export const CONSOLE_PATHS = {
  '/console': {
    get: route("The console, the operator's page", {
      responses: {
        200: { description: 'The page', content: { 'text/html': { schema: { type: 'string' } } } },
        404: failed('It is not built'),
      },
    }),
  },
  '/console/session': {
    get: route('Who has logged in, and what that caller may do', { responses: { 200: session('Whoever it is') } }),
  },
  '/console/login': {
    post: route('Takes a token once, and keeps it in a cookie', {
      description:
        `The cookie \`${CONSOLE_COOKIE}\` is HttpOnly and SameSite=Strict; with it the operations are served as with the token as ` +
        "a bearer's. Changes are then taken from a page of this origin alone (`Sec-Fetch-Site`, else `Origin`), and phone numbers " +
        'are answered masked unless `x-phones: shown` asks for them, which is logged.',
      requestBody: { required: true, content: json(toSchema(loginRequest, DRAFT)) },
      responses: {
        200: session('Logged in'),
        400: failed('No JSON object'),
        401: failed('Not the token of a caller that may come over HTTP'),
        403: FOREIGN,
        422: failed('Not a token'),
      },
    }),
  },
  '/console/logout': {
    post: route('Takes the cookie back', { responses: { 204: { description: 'Logged out' }, 403: FOREIGN } }),
  },
};
