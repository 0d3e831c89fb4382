import { ENVELOPE } from '../../contracts/envelope.js';
import { EXAMPLES } from '../../contracts/examples.js';
import { EXAMPLE } from '../../contracts/examples/example.js';
import { streamRequest } from '../../contracts/event-feed.js';
import { FAILURE_CODES, FAILURES, type FailureCode, failureReply } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { OPERATION_NAMES, type Operation, OPERATIONS, type OperationName } from '../../contracts/operations.js';
import { CONSOLE_PATHS } from './openapi-console.js';
import { BODY_RULES, CONTRACT_VERSION, failureExample, LICENSE, listFailures, REPEAT_RULES } from './prose.js';
import { type JsonSchema, slugOf, successSchema, toSchema } from './schemas.js';

const DRAFT = 'draft-2020-12';
const PREFIX = '/api/v1/account-manager';
const ref = (...path: string[]) => ({ $ref: `#/components/${path.join('/')}` });
const json = (content: object) => ({ [ENVELOPE.contentType]: content });

/** The contract over HTTP as OpenAPI 3.1. */
export const buildOpenApi = () => ({
  openapi: '3.1.0',
  info: {
    title: 'Account Manager',
    version: CONTRACT_VERSION,
    description:
      'Hands Telegram accounts to services and keeps every account inside its limits. The same operations are served ' +
      `on the broker.\n\n${BODY_RULES}\n\n${REPEAT_RULES}\n\n${IDENTITY}`,
    license: LICENSE,
  },
  servers: [
    {
      url: '{scheme}://{host}:{port}',
      variables: {
        scheme: { enum: ['http', 'https'], default: 'http', description: 'https where HTTP_TLS_CERT_FILE is set' },
        host: { default: '127.0.0.1' },
        port: { default: '3000' },
      },
    },
  ],
  security: [{ bearer: [] }, {}],
  tags: [
    { name: 'account', description: 'Leasing accounts and giving them back' },
    { name: 'action', description: 'Actions of accounts on Telegram, and their limits' },
    { name: 'query', description: 'Looking, without changing anything' },
    { name: 'admin', description: "An operator's decisions" },
    { name: 'service', description: 'How this instance is' },
    { name: 'console', description: "The operator's page" },
  ],
  paths: { ...operationPaths(), ...STREAM_PATHS, ...SERVICE_PATHS, ...CONSOLE_PATHS },
  components: {
    schemas: { FailureReply: toSchema(failureReply, DRAFT), Health: HEALTH },
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', description: 'A token of a caller that the access file lists' },
    },
    parameters: PARAMETERS,
    headers: HEADERS,
    examples: Object.fromEntries(FAILURE_CODES.map((code) => [code, { value: failureExample(code) }])),
  },
});

function operationPaths(): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const name of OPERATION_NAMES) {
    const { method, path } = OPERATIONS[name].http;
    paths[PREFIX + path] = { ...paths[PREFIX + path], [method.toLowerCase()]: describeOperation(name) };
  }
  return paths;
}

function describeOperation(name: OperationName) {
  const { summary, changesState, http }: Operation = OPERATIONS[name];
  const inQuery = http.query ?? [];
  const inPath = new Set([...http.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field));
  const { properties = {}, required = [], ...whole } = toSchema(OPERATIONS[name].request, DRAFT);
  const fields = Object.entries(properties);
  const isRequired = (field: string) => required.includes(field);
  const parameters = fields
    .filter(([field]) => inPath.has(field) || inQuery.includes(field) || http.method === 'GET')
    .map(([field, schema]) =>
      parameter(name, field, schema, inPath.has(field), isRequired(field) && !inQuery.includes(field)),
    );
  const body: JsonSchema = {
    ...whole,
    properties: Object.fromEntries(fields.filter(([field]) => !inPath.has(field))),
    // A field that the query string may carry need not stand in the body.
    required: required.filter((field) => !inPath.has(field) && !inQuery.includes(field)),
  };
  const envelope = ['deadline', 'traceparent', 'requestId', ...(changesState ? ['idempotencyKey'] : [])];
  return {
    operationId: name,
    summary,
    description: `Refusals and failures:\n\n${listFailures(failuresOf(name))}`,
    tags: [name.split('.')[0]],
    parameters: [...parameters, ...envelope.map((key) => ref('parameters', key))],
    ...(http.method === 'POST' && {
      requestBody: {
        required: (body.required ?? []).length > 0,
        content: json({ schema: body, examples: requestExamples(name, inPath) }),
      },
    }),
    responses: { 200: successResponse(name), ...failureResponses(name) },
  };
}

function parameter(
  operation: OperationName,
  field: string,
  schema: JsonSchema | boolean,
  isInPath: boolean,
  isRequired: boolean,
) {
  const example = (EXAMPLES[operation][0].request as Record<string, unknown>)[field];
  return {
    name: field,
    in: isInPath ? 'path' : 'query',
    required: isInPath || isRequired,
    schema,
    ...(example !== undefined && { example }),
  };
}

const requestExamples = (name: OperationName, inPath: ReadonlySet<string | undefined>) =>
  Object.fromEntries(
    EXAMPLES[name].map((example) => [
      slugOf(example.name),
      {
        summary: example.name,
        value: Object.fromEntries(Object.entries(example.request).filter(([field]) => !inPath.has(field))),
      },
    ]),
  );

const successResponse = (name: OperationName) => ({
  description: OPERATIONS[name].summary,
  headers: replyHeaders(OPERATIONS[name].changesState),
  content: json({
    schema: toSchema(successSchema(name), DRAFT),
    examples: Object.fromEntries(
      EXAMPLES[name]
        .filter(({ reply }) => reply.success)
        .map((example) => [slugOf(example.name), { summary: example.name, value: example.reply }]),
    ),
  }),
});

/** By HTTP status, which several codes may share. */
function failureResponses(name: OperationName): Record<number, object> {
  const codesByStatus = new Map<number, FailureCode[]>();
  for (const code of failuresOf(name)) {
    const { http } = FAILURES[code];
    codesByStatus.set(http, [...(codesByStatus.get(http) ?? []), code]);
  }
  return Object.fromEntries(
    [...codesByStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `${code}: ${FAILURES[code].meaning}`).join('. '),
        headers: {
          ...replyHeaders(false),
          [ENVELOPE.errorCodeHeader]: ref('headers', 'errorCode'),
          ...(codes.includes('UNAUTHENTICATED') && { 'www-authenticate': ref('headers', 'wwwAuthenticate') }),
          ...(codes.some((code) => FAILURES[code].retryable) && { 'retry-after': ref('headers', 'retryAfter') }),
        },
        content: json({
          schema: ref('schemas', 'FailureReply'),
          examples: Object.fromEntries(codes.map((code) => [code, exampleOf(name, code)])),
        }),
      },
    ]),
  );
}

/** As an example of the operation shows it, else in its plainest form. */
function exampleOf(name: OperationName, code: FailureCode) {
  const shown = EXAMPLES[name].find(({ reply }) => !reply.success && reply.error.code === code);
  return shown === undefined ? ref('examples', code) : { summary: shown.name, value: shown.reply };
}

const replyHeaders = (changesState: boolean) => ({
  'x-request-id': ref('headers', 'requestId'),
  traceparent: ref('headers', 'traceparent'),
  ...(changesState && { 'idempotency-key': ref('headers', 'idempotencyKey') }),
});

const IDENTITY =
  'Where the service has an access file, a caller shows who it is by a bearer token: without one, or with one that nobody ' +
  'knows, it is answered UNAUTHENTICATED, and FORBIDDEN what it has no right to. Without an access file callers are not ' +
  'told apart, and this door listens on its own machine only. Liveness, readiness and metrics need no token.';

const uuid = { type: 'string', format: 'uuid' };
const TRACEPARENT = { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' };

const PARAMETERS = {
  idempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'Names the request, also when it is repeated; made up and told in the reply where it is missing',
    schema: uuid,
    example: EXAMPLE.permitId,
  },
  deadline: {
    name: ENVELOPE.deadlineHeader,
    in: 'header',
    description: 'ISO 8601 with an offset or Z; past it the request is answered DEADLINE_EXCEEDED and has no effect',
    schema: { type: 'string', format: 'date-time' },
  },
  traceparent: { name: 'traceparent', in: 'header', description: 'W3C trace context', schema: TRACEPARENT },
  requestId: {
    name: 'x-request-id',
    in: 'header',
    description: 'Name of the request in logs and events; the Idempotency-Key where it is missing',
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  },
};

const HEADERS = {
  retryAfter: { description: 'retry_after_ms in seconds, rounded up', schema: { type: 'integer' } },
  wwwAuthenticate: { description: 'Bearer', schema: { type: 'string' } },
  errorCode: { description: 'The failure code', schema: { type: 'string' } },
  idempotencyKey: { description: 'Key under which the request may be repeated', schema: uuid },
  requestId: { description: 'Name of the request in logs and events', schema: { type: 'string' } },
  traceparent: { description: 'The trace the request belongs to, where it came with one', schema: TRACEPARENT },
};

const HEALTH = {
  type: 'object',
  properties: {
    status: { enum: ['healthy', 'degraded', 'unhealthy'] },
    identity: { enum: ['on', 'off'] },
    components: { type: 'object', additionalProperties: { type: 'object' } },
  },
  required: ['status'],
};

/** The events of query.events as they come. */
const STREAM_PATHS = {
  [`${PREFIX}/events/stream`]: {
    get: {
      operationId: 'events.stream',
      summary: 'The events of query.events as they come, as server-sent events',
      description:
        'id is the position, event the type, data the CloudEvent. With after or Last-Event-ID, which counts more, the ' +
        'stream resumes without a gap or a repeat; without them it tells what comes from now on. A comment comes every ' +
        '15 s. A reader that is too slow gets the event dropped, without an id, and comes again. For whoever may call query.events.',
      tags: ['query'],
      parameters: [
        ...Object.entries(toSchema(streamRequest, DRAFT).properties ?? {}).map(([field, schema]) =>
          parameter('query.events', field, schema, false, false),
        ),
        {
          name: 'Last-Event-ID',
          in: 'header',
          description: 'The id of the last event that was read',
          schema: { type: 'string' },
        },
      ],
      responses: {
        200: {
          description: 'The stream; it ends when this instance shuts down',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...failureResponses('query.events'),
      },
    },
  },
};

const serviceRoute = (summary: string, responses: object, security: object[] = []) => ({
  get: { summary, tags: ['service'], security, responses },
});
const READINESS = {
  type: 'object',
  properties: {
    ready: { type: 'boolean' },
    checks: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { ok: { type: 'boolean' }, detail: { type: 'string' }, latency_ms: { type: 'number' } },
        required: ['ok'],
      },
    },
  },
  required: ['ready', 'checks'],
};

const SERVICE_PATHS = {
  '/health/live': serviceRoute('Whether the process turns', {
    200: { description: 'It does', content: json({ schema: { type: 'object' }, example: { status: 'alive' } }) },
  }),
  '/health/ready': serviceRoute('Whether this instance should be sent work', {
    200: { description: 'It should', content: json({ schema: READINESS }) },
    503: { description: 'It should not; the checks say why', content: json({ schema: READINESS }) },
  }),
  '/api/v1/health/detailed': serviceRoute(
    'The state of the fleet and of each dependency, for whoever may call query.status',
    {
      200: { description: 'Healthy, or degraded', content: json({ schema: ref('schemas', 'Health') }) },
      401: { description: 'Nobody known', content: json({ schema: ref('schemas', 'FailureReply') }) },
      403: { description: 'Not allowed', content: json({ schema: ref('schemas', 'FailureReply') }) },
      503: {
        description: 'Unhealthy, or the caller asks too much',
        content: json({ schema: { anyOf: [ref('schemas', 'Health'), ref('schemas', 'FailureReply')] } }),
      },
    },
    [{ bearer: [] }, {}],
  ),
  '/metrics': serviceRoute('Metrics in the format of Prometheus', {
    200: { description: 'All metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
  }),
};
