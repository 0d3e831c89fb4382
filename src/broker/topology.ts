import type { Channel, ChannelModel } from 'amqplib';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import type { WantedTopology } from '../decide/messages/compare-topology.js';
import {
  DEAD_LETTERS,
  EXCHANGES,
  type ExchangeKey,
  PARKED,
  REQUEST_QUEUE_ARGUMENTS,
  REQUEST_QUEUE_KEYS,
  REQUEST_QUEUES,
  type RequestQueue,
  RETRY_HEADER,
  RETRY_STEPS,
  retryQueueArguments,
} from '../../contracts/topology.js';

/** The entities of the broker differ from the contract. `differences`: one line per entity, in the broker's words. */
export class TopologyMismatch extends Error {
  readonly differences: readonly string[];
  constructor(differences: readonly string[]) {
    super(`the broker's topology differs from the contract: ${differences.join('; ')}`);
    this.name = 'TopologyMismatch';
    this.differences = differences;
  }
}

interface Queue {
  name: string;
  arguments: Record<string, string | number>;
  bindings: readonly { exchange: ExchangeKey; key: string; arguments?: Record<string, string> }[];
}

const PRECONDITION_FAILED = 406;
/** Plain `all` passes over headers whose name begins with `x-`. */
const MATCH_X_HEADERS = 'all-with-x';

function requestQueue(key: RequestQueue): Queue {
  const { name, exchange, keys } = REQUEST_QUEUES[key];
  const bound =
    keys === 'operations' ? OPERATION_NAMES.filter((operation) => OPERATIONS[operation].queue === key) : keys;
  return { name, arguments: REQUEST_QUEUE_ARGUMENTS, bindings: bound.map((pattern) => ({ exchange, key: pattern })) };
}

const deadLetters: Queue = {
  name: DEAD_LETTERS.name,
  arguments: REQUEST_QUEUE_ARGUMENTS,
  bindings: [{ exchange: 'dead', key: '#' }],
};

/** Where failed requests go: the parked queue and the retry ladder. */
const failureQueues: readonly Queue[] = [
  { ...PARKED, bindings: [] },
  ...RETRY_STEPS.map(({ name, header, delayMs }) => ({
    name,
    arguments: retryQueueArguments(delayMs),
    bindings: [
      { exchange: 'retry' as const, key: '', arguments: { 'x-match': MATCH_X_HEADERS, [RETRY_HEADER]: header } },
    ],
  })),
];

/** All that the contract says of the broker's entities. */
export const CONTRACT_TOPOLOGY: WantedTopology = {
  exchanges: Object.values(EXCHANGES),
  queues: [...REQUEST_QUEUE_KEYS.map(requestQueue), deadLetters, ...failureQueues].map((queue) => ({
    ...queue,
    bindings: queue.bindings.map((binding) => ({ ...binding, exchange: EXCHANGES[binding.exchange].name })),
  })),
};

/**
 * Declares the contract's topology, then throws `TopologyMismatch` with all that the broker has otherwise. The
 * broker itself compares the entities that are there already, and leaves them as they are.
 */
export async function declareTopology(connection: ChannelModel): Promise<void> {
  const exchanges = Object.keys(EXCHANGES) as ExchangeKey[];
  const queues = [...REQUEST_QUEUE_KEYS.map(requestQueue), deadLetters, ...failureQueues];
  const declarations = [
    ...exchanges.map((exchange) => (channel: Channel) => declareExchange(channel, exchange)),
    ...queues.map((queue) => (channel: Channel) => declareQueue(channel, queue)),
  ];
  const differences: string[] = [];
  for (const declare of declarations) {
    // The broker answers a difference by closing the channel, so the next entity may need another one.
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    try {
      await declare(channel);
      await channel.close();
    } catch (error) {
      if ((error as { code?: unknown }).code !== PRECONDITION_FAILED) throw error;
      differences.push(describeDifference(error as Error));
    }
  }
  if (differences.length > 0) throw new TopologyMismatch(differences);
}

/** Declares a request queue with all that leads to it and away from it, so that a deleted one comes back whole. */
export const declareRequestQueue = (channel: Channel, key: RequestQueue): Promise<void> =>
  declareAround(channel, [requestQueue(key)]);

export const declareDeadLetters = (channel: Channel): Promise<void> => declareAround(channel, [deadLetters]);

export const declareFailureQueues = (channel: Channel): Promise<void> => declareAround(channel, failureQueues);

export const declareEvents = (channel: Channel): Promise<void> => declareExchange(channel, 'events');

async function declareAround(channel: Channel, queues: readonly Queue[]): Promise<void> {
  for (const exchange of Object.keys(EXCHANGES) as ExchangeKey[]) await declareExchange(channel, exchange);
  for (const queue of queues) await declareQueue(channel, queue);
}

async function declareExchange(channel: Channel, key: ExchangeKey): Promise<void> {
  await channel.assertExchange(EXCHANGES[key].name, EXCHANGES[key].type, { durable: true });
}

async function declareQueue(channel: Channel, queue: Queue): Promise<void> {
  await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
  for (const { exchange, key, arguments: matching } of queue.bindings) {
    await channel.bindQueue(queue.name, EXCHANGES[exchange].name, key, matching);
  }
}

/** The broker's text without its wrapping: "inequivalent arg 'x-overflow' for queue … received … but current is …". */
function describeDifference(error: Error): string {
  const [, difference] = /PRECONDITION_FAILED - ([^"]*)/.exec(error.message) ?? [];
  return difference ?? error.message;
}
