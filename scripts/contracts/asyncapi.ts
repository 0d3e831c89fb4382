import { z } from 'zod';
import { ENVELOPE } from '../../contracts/envelope.js';
import { cloudEvent, EVENT_CONTENT_TYPE, EVENT_TYPES } from '../../contracts/events.js';
import { EXAMPLES } from '../../contracts/examples.js';
import { EVENT_EXAMPLES } from '../../contracts/examples/events.js';
import { FAILURE_CODES, failureReply } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { OPERATION_NAMES, OPERATIONS, type OperationName } from '../../contracts/operations.js';
import {
  DEAD_LETTERS,
  EXCHANGES,
  PARKED,
  REQUEST_QUEUE_ARGUMENTS,
  REQUEST_QUEUES,
  RETRY_STEPS,
  retryQueueArguments,
} from '../../contracts/topology.js';
import { BODY_RULES, CONTRACT_VERSION, failureExample, LICENSE, listFailures, REPEAT_RULES } from './prose.js';
import { successSchema, toSchema } from './schemas.js';

const DRAFT = 'draft-7';
const BINDING = '0.3.0';
const ref = (...path: string[]) => ({ $ref: `#/${path.map((key) => key.replaceAll('/', '~1')).join('/')}` });

/** The contract on the broker as AsyncAPI 3.0. */
export const buildAsyncApi = () => ({
  asyncapi: '3.0.0',
  info: INFO,
  defaultContentType: ENVELOPE.contentType,
  servers: SERVERS,
  channels: buildChannels(),
  operations: buildOperations(),
  components: {
    schemas: {
      failure: toSchema(failureReply, DRAFT),
      requestHeaders: REQUEST_HEADERS,
      replyHeaders: REPLY_HEADERS,
      parkedHeaders: PARKED_HEADERS,
    },
    messages: buildMessages(),
    securitySchemes: {
      password: { type: 'userPassword', description: 'A user of the broker, with permissions on its exchanges' },
      certificate: { type: 'X509', description: 'A client certificate, where the broker takes them (EXTERNAL)' },
    },
  },
});

const INFO = {
  title: 'Account Manager',
  version: CONTRACT_VERSION,
  description:
    'Hands Telegram accounts to services and keeps every account inside its limits.\n\n' +
    `${BODY_RULES}\n\n${REPEAT_RULES}\n\n` +
    'Requests are published with `mandatory`, `delivery_mode: 2`, `content_type: application/json`; the routing key ' +
    'is the operation. `message_id` is a UUID, required of operations that change state. `correlation_id` is echoed ' +
    '(the `message_id` where it is missing). `reply_to` is direct reply-to, a server-named queue or a queue named ' +
    '`reply.<anything>`. `expiration` is a deadline like `x-deadline`. `user_id` is the caller: the AMQP user, which the broker checks; required where the ' +
    'service has an access file, by which a caller may be refused as UNAUTHENTICATED or FORBIDDEN.',
  license: LICENSE,
};

const SERVER_VARIABLES = {
  host: { default: 'localhost', description: 'Where the broker is' },
  vhost: { default: '', description: 'The vhost of RABBITMQ_URL' },
};

const SERVERS = {
  broker: {
    host: '{host}:5672',
    pathname: '/{vhost}',
    protocol: 'amqp',
    protocolVersion: '0.9.1',
    description: 'RabbitMQ 3.10 or newer',
    variables: SERVER_VARIABLES,
    security: [ref('components', 'securitySchemes', 'password')],
  },
  brokerWithTls: {
    host: '{host}:5671',
    pathname: '/{vhost}',
    protocol: 'amqps',
    protocolVersion: '0.9.1',
    description: 'RabbitMQ 3.10 or newer, over TLS',
    variables: SERVER_VARIABLES,
    security: [ref('components', 'securitySchemes', 'password'), ref('components', 'securitySchemes', 'certificate')],
  },
};

const CORRELATION = {
  location: '$message.header#/correlation_id',
  description: 'The AMQP property correlation_id, echoed in the reply',
};

const TRACE = {
  traceparent: { type: 'string', description: 'W3C trace context; continued into the reply and the events' },
  tracestate: { type: 'string' },
};

const REQUEST_HEADERS = {
  type: 'object',
  properties: {
    [ENVELOPE.deadlineHeader]: {
      type: 'string',
      format: 'date-time',
      description: 'ISO 8601; past it the request is answered DEADLINE_EXCEEDED and has no effect',
    },
    ...TRACE,
  },
};

const CODE_HEADER = { type: 'string', enum: FAILURE_CODES, description: 'The failure code' };
const REPLY_HEADERS = {
  type: 'object',
  properties: { [ENVELOPE.errorCodeHeader]: CODE_HEADER, traceparent: TRACE.traceparent },
};
const PARKED_HEADERS = {
  type: 'object',
  properties: {
    [ENVELOPE.errorCodeHeader]: CODE_HEADER,
    'x-error-message': { type: 'string', description: 'The fault, for a person' },
    'x-original-routing-key': { type: 'string', description: 'The operation' },
    'x-original-user-id': { type: 'string', description: 'The caller, as the broker had checked it' },
    'x-attempt': { type: 'integer', description: 'How often it was tried before' },
    'x-parked-at': { type: 'string', format: 'date-time' },
    'x-redacted': { type: 'boolean', description: 'Secrets in it were replaced: it cannot be replayed' },
    ...REQUEST_HEADERS.properties,
  },
  required: [ENVELOPE.errorCodeHeader, 'x-error-message', 'x-original-routing-key'],
};

const exchangeBinding = (key: keyof typeof EXCHANGES) => ({
  amqp: {
    is: 'routingKey',
    exchange: { ...EXCHANGES[key], durable: true, autoDelete: false, vhost: '/' },
    bindingVersion: BINDING,
  },
});

const queueBinding = (name: string, queueArguments: Record<string, unknown>) => ({
  amqp: {
    is: 'queue',
    queue: { name, durable: true, exclusive: false, autoDelete: false, vhost: '/' },
    bindingVersion: BINDING,
  },
  'x-queue-arguments': queueArguments,
});

const buildChannels = () => ({
  ...Object.fromEntries(OPERATION_NAMES.map((name) => [name, requestChannel(name)])),
  replies: {
    address: null,
    title: 'Replies',
    description: 'The queue that `reply_to` names',
    messages: {
      ...Object.fromEntries(
        OPERATION_NAMES.map((name) => [`${name}.reply`, ref('components', 'messages', `${name}.reply`)]),
      ),
      failure: ref('components', 'messages', 'failure'),
    },
  },
  events: {
    address: '{type}',
    title: 'Events',
    description: `Lifecycle events and alerts; subscribers bind queues of their own to ${EXCHANGES.events.name}`,
    parameters: { type: { description: 'The type of the event', enum: [...EVENT_TYPES] } },
    messages: Object.fromEntries(EVENT_TYPES.map((type) => [type, ref('components', 'messages', type)])),
    bindings: exchangeBinding('events'),
  },
  deadLetters: {
    address: DEAD_LETTERS.name,
    title: 'Dead letters',
    description: 'Expired requests, and those delivered too often: the service answers and parks them',
    messages: { deadLetter: ref('components', 'messages', 'deadLetter') },
    bindings: queueBinding(DEAD_LETTERS.name, REQUEST_QUEUE_ARGUMENTS),
  },
  ...Object.fromEntries(
    RETRY_STEPS.map(({ name, header, delayMs }) => [
      `retry.${header}`,
      {
        address: name,
        title: `Retry after ${delayMs / 1000} s`,
        description: `Requests that met an unexpected failure wait here for ${delayMs / 1000} s`,
        messages: { delayed: ref('components', 'messages', 'delayed') },
        bindings: queueBinding(name, retryQueueArguments(delayMs)),
      },
    ]),
  ),
  parked: {
    address: PARKED.name,
    title: 'Parked messages',
    description: 'Invalid and given-up requests, for an operator; whole but for session data and phone numbers',
    messages: { parked: ref('components', 'messages', 'parked') },
    bindings: queueBinding(PARKED.name, PARKED.arguments),
  },
});

function requestChannel(name: OperationName) {
  const queue = REQUEST_QUEUES[OPERATIONS[name].queue];
  return {
    address: name,
    title: OPERATIONS[name].summary,
    messages: { request: ref('components', 'messages', `${name}.request`) },
    bindings: exchangeBinding(queue.exchange),
    'x-queue': { name: queue.name, arguments: REQUEST_QUEUE_ARGUMENTS },
  };
}

const buildOperations = () => ({
  ...Object.fromEntries(OPERATION_NAMES.map((name) => [name, receiveRequest(name)])),
  publishEvents: {
    action: 'send',
    channel: ref('channels', 'events'),
    summary: 'Publishes what has happened: at least once, in order per account',
    bindings: { amqp: { deliveryMode: 2, bindingVersion: BINDING } },
  },
  receiveDeadLetters: {
    action: 'receive',
    channel: ref('channels', 'deadLetters'),
    summary: 'Answers and parks what the broker has given up',
    bindings: { amqp: { ack: true, bindingVersion: BINDING } },
  },
  ...Object.fromEntries(
    RETRY_STEPS.map(({ header }) => [
      `delay.${header}`,
      {
        action: 'send',
        channel: ref('channels', `retry.${header}`),
        summary: 'Puts a request off that met an unexpected failure',
        bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: BINDING } },
      },
    ]),
  ),
  parkMessages: {
    action: 'send',
    channel: ref('channels', 'parked'),
    summary: 'Keeps a request that is at fault or was given up',
    bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: BINDING } },
  },
});

function receiveRequest(name: OperationName) {
  const { summary, changesState, queue } = OPERATIONS[name];
  const repeated = changesState ? '`message_id` is required.' : 'Changes nothing; `message_id` may be left out.';
  return {
    action: 'receive',
    channel: ref('channels', name),
    title: name,
    summary,
    description: `${repeated} Refusals and failures:\n\n${listFailures(failuresOf(name))}`,
    tags: [{ name: name.split('.')[0] ?? name }, { name: `queue ${queue}` }],
    bindings: { amqp: { deliveryMode: 2, mandatory: true, ack: true, bindingVersion: BINDING } },
    messages: [ref('channels', name, 'messages', 'request')],
    reply: {
      address: {
        location: '$message.header#/reply_to',
        description: 'The AMQP property reply_to; without it the operation runs and nothing is answered',
      },
      channel: ref('channels', 'replies'),
      messages: [
        ref('channels', 'replies', 'messages', `${name}.reply`),
        ref('channels', 'replies', 'messages', 'failure'),
      ],
    },
  };
}

const buildMessages = () => ({
  ...Object.fromEntries(OPERATION_NAMES.flatMap(operationMessages)),
  failure: {
    name: 'failure',
    title: 'A refusal or failure of any operation',
    contentType: ENVELOPE.contentType,
    headers: ref('components', 'schemas', 'replyHeaders'),
    correlationId: CORRELATION,
    payload: ref('components', 'schemas', 'failure'),
    examples: FAILURE_CODES.map((code) => ({
      name: code,
      headers: { [ENVELOPE.errorCodeHeader]: code },
      payload: failureExample(code),
    })),
  },
  ...Object.fromEntries(EVENT_TYPES.map((type) => [type, eventMessage(type)])),
  deadLetter: {
    name: 'deadLetter',
    title: 'A request that expired or was delivered too often',
    contentType: ENVELOPE.contentType,
    headers: ref('components', 'schemas', 'requestHeaders'),
    payload: {},
  },
  delayed: {
    name: 'delayed',
    title: 'A request that will be tried again',
    contentType: ENVELOPE.contentType,
    headers: ref('components', 'schemas', 'requestHeaders'),
    payload: {},
  },
  parked: {
    name: 'parked',
    title: 'A request that was put aside for an operator',
    contentType: ENVELOPE.contentType,
    headers: ref('components', 'schemas', 'parkedHeaders'),
    payload: {},
  },
});

function operationMessages(name: OperationName): [string, object][] {
  const { summary, request } = OPERATIONS[name];
  const answered = EXAMPLES[name].filter(({ reply }) => reply.success);
  return [
    [
      `${name}.request`,
      {
        name: `${name}.request`,
        title: summary,
        contentType: ENVELOPE.contentType,
        headers: ref('components', 'schemas', 'requestHeaders'),
        correlationId: CORRELATION,
        payload: toSchema(request, DRAFT),
        examples: EXAMPLES[name].map((example) => ({ name: example.name, payload: example.request })),
      },
    ],
    [
      `${name}.reply`,
      {
        name: `${name}.reply`,
        title: `The success of ${name}`,
        contentType: ENVELOPE.contentType,
        headers: ref('components', 'schemas', 'replyHeaders'),
        correlationId: CORRELATION,
        bindings: { amqp: { messageType: name, bindingVersion: BINDING } },
        payload: toSchema(successSchema(name), DRAFT),
        examples: answered.map((example) => ({ name: example.name, payload: example.reply })),
      },
    ],
  ];
}

const eventMessage = (type: (typeof EVENT_TYPES)[number]) => ({
  name: type,
  title: type,
  contentType: EVENT_CONTENT_TYPE,
  headers: { type: 'object', properties: { traceparent: TRACE.traceparent } },
  bindings: { amqp: { messageType: type, bindingVersion: BINDING } },
  payload: toSchema(cloudEvent.extend({ type: z.literal(type) }), DRAFT),
  examples: [{ name: type, payload: EVENT_EXAMPLES[type] }],
});
