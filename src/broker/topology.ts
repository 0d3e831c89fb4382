import type { Channel, ChannelModel } from 'amqplib';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
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

/** What the broker has is not what the contract says. `differences`: one line per entity, in the broker's words. */
export class TopologyMismatch extends Error {
  readonly differences: readonly string[];
  constructor(differences: readonly string[]) {
    super(`the broker's topology differs from the contract: ${differences.join('; ')}`);
    this.name = 'TopologyMismatch';
    this.differences = differences;
  }
}

/** One entity with what hangs on it. Declaring what is there already changes nothing; what differs is a 406. */
type Declare = (channel: Channel) => Promise<unknown>;

const PRECONDITION_FAILED = 406;
/** Plain `all` passes over headers whose name begins with `x-`. */
const MATCH_X_HEADERS = 'all-with-x';

/** Declares the contract's topology, then throws `TopologyMismatch` with all that the broker has otherwise. */
export async function declareTopology(connection: ChannelModel): Promise<void> {
  const differences: string[] = [];
  for (const declare of declarations()) {
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

function declarations(): Declare[] {
  return [
    ...(Object.keys(EXCHANGES) as ExchangeKey[]).map(
      (key): Declare =>
        (channel) =>
          declareExchange(channel, key),
    ),
    declareDeadLetters,
    declareParked,
    ...RETRY_STEPS.map(
      (step): Declare =>
        (channel) =>
          declareRetryQueue(channel, step),
    ),
    ...REQUEST_QUEUE_KEYS.map(
      (key): Declare =>
        (channel) =>
          declareRequestQueue(channel, key),
    ),
  ];
}

/** A request queue with all that leads to it and away from it, so that a deleted one comes back whole. */
export async function declareRequestQueue(channel: Channel, key: RequestQueue): Promise<void> {
  const { name, exchange, keys } = REQUEST_QUEUES[key];
  await declareExchange(channel, exchange);
  await declareExchange(channel, 'dead');
  await channel.assertQueue(name, { durable: true, arguments: REQUEST_QUEUE_ARGUMENTS });
  const bound =
    keys === 'operations' ? OPERATION_NAMES.filter((operation) => OPERATIONS[operation].queue === key) : keys;
  for (const pattern of bound) await channel.bindQueue(name, EXCHANGES[exchange].name, pattern);
}

export async function declareDeadLetters(channel: Channel): Promise<void> {
  await declareExchange(channel, 'dead');
  await channel.assertQueue(DEAD_LETTERS.name, { durable: true, arguments: REQUEST_QUEUE_ARGUMENTS });
  await channel.bindQueue(DEAD_LETTERS.name, EXCHANGES.dead.name, '#');
}

/** Where failed requests go: the retry ladder and the parked queue. */
export async function declareFailureQueues(channel: Channel): Promise<void> {
  await declareParked(channel);
  for (const step of RETRY_STEPS) await declareRetryQueue(channel, step);
}

export async function declareEvents(channel: Channel): Promise<void> {
  await declareExchange(channel, 'events');
}

async function declareParked(channel: Channel): Promise<void> {
  await channel.assertQueue(PARKED.name, { durable: true, arguments: PARKED.arguments });
}

async function declareRetryQueue(channel: Channel, step: (typeof RETRY_STEPS)[number]): Promise<void> {
  await declareExchange(channel, 'requests');
  await declareExchange(channel, 'retry');
  await channel.assertQueue(step.name, { durable: true, arguments: retryQueueArguments(step.delayMs) });
  await channel.bindQueue(step.name, EXCHANGES.retry.name, '', {
    'x-match': MATCH_X_HEADERS,
    [RETRY_HEADER]: step.header,
  });
}

async function declareExchange(channel: Channel, key: ExchangeKey): Promise<void> {
  await channel.assertExchange(EXCHANGES[key].name, EXCHANGES[key].type, { durable: true });
}

/** The broker's text without its wrapping: "inequivalent arg 'x-overflow' for queue … received … but current is …". */
function describeDifference(error: Error): string {
  const [, difference] = /PRECONDITION_FAILED - ([^"]*)/.exec(error.message) ?? [];
  return difference ?? error.message;
}
