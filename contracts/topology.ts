/** The broker's entities as data: declared at start, compared with what the broker has, published in the documents. */

export const EXCHANGES = {
  requests: { name: 'account-manager.requests', type: 'topic' },
  admin: { name: 'account-manager.admin', type: 'direct' },
  events: { name: 'account-manager.events', type: 'topic' },
  dead: { name: 'account-manager.dead', type: 'topic' },
  /** Leads a failed request into the retry queue its `x-retry` header names, with its routing key kept. */
  retry: { name: 'account-manager.retry', type: 'headers' },
} as const;
export type ExchangeKey = keyof typeof EXCHANGES;

export type RequestQueue = 'allocate' | 'release' | 'error' | 'action' | 'query' | 'admin';

/** Request queues: name, where their messages come from, how many may be in work in one instance (prefetch). */
export const REQUEST_QUEUES = {
  allocate: { name: 'account-manager.allocate', exchange: 'requests', keys: ['account.allocate'], prefetch: 256 },
  release: {
    name: 'account-manager.release',
    exchange: 'requests',
    keys: ['account.release', 'account.renew', 'account.release-all'],
    prefetch: 256,
  },
  error: { name: 'account-manager.error', exchange: 'requests', keys: ['account.error'], prefetch: 256 },
  action: { name: 'account-manager.action', exchange: 'requests', keys: ['action.*'], prefetch: 256 },
  query: { name: 'account-manager.query', exchange: 'requests', keys: ['query.*'], prefetch: 64 },
  admin: { name: 'account-manager.admin', exchange: 'admin', keys: 'operations', prefetch: 16 },
} as const satisfies Record<
  RequestQueue,
  /** `operations`: one binding per operation of the queue. */
  { name: string; exchange: ExchangeKey; keys: readonly string[] | 'operations'; prefetch: number }
>;
export const REQUEST_QUEUE_KEYS = Object.keys(REQUEST_QUEUES) as RequestQueue[];

/** Arguments of the request queues and of the dead-letter queue: nothing is dropped, by length, by count or on its way out. */
export const REQUEST_QUEUE_ARGUMENTS = {
  'x-queue-type': 'quorum',
  'x-delivery-limit': 20,
  'x-max-length': 1_000_000,
  'x-overflow': 'reject-publish',
  'x-dead-letter-exchange': EXCHANGES.dead.name,
  'x-dead-letter-strategy': 'at-least-once',
} as const;

/** The ladder of delayed redelivery: the nth unexpected failure of a message waits on the nth step. */
export const RETRY_STEPS = [
  { name: 'account-manager.retry.5s', header: '5s', delayMs: 5_000 },
  { name: 'account-manager.retry.30s', header: '30s', delayMs: 30_000 },
  { name: 'account-manager.retry.120s', header: '120s', delayMs: 120_000 },
] as const;
export const RETRY_HEADER = 'x-retry';

/** Arguments of a retry queue: after its delay a message goes back to where it came from, its key kept. */
export const retryQueueArguments = (delayMs: number) => ({
  'x-queue-type': 'quorum',
  'x-message-ttl': delayMs,
  'x-overflow': 'reject-publish',
  'x-dead-letter-exchange': EXCHANGES.requests.name,
  'x-dead-letter-strategy': 'at-least-once',
});

export const DEAD_LETTERS = { name: 'account-manager.dead-letters', prefetch: 64 } as const;
/**
 * Given-up messages. Quorum queues of RabbitMQ 4.0 to 4.2 drop a message after 20 deliveries unless they are told
 * otherwise, and every look delivers each message once; `-1` (no limit) is refused by 3.x, so the limit is a number that
 * nobody reaches. When the queue is full, new messages are refused and the oldest stay.
 */
export const PARKED = {
  name: 'account-manager.parked',
  arguments: {
    'x-queue-type': 'quorum',
    'x-delivery-limit': 1_000_000_000,
    'x-max-length': 5_000,
    'x-max-length-bytes': 134_217_728,
    'x-overflow': 'reject-publish',
  },
} as const;
