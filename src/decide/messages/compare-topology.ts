import type { DyingQueue } from './find-stuck-dead-letters.js';

/** One queue as the contract describes it. */
export interface WantedQueue {
  name: string;
  arguments: Readonly<Record<string, string | number>>;
  bindings: readonly { exchange: string; key: string; arguments?: Readonly<Record<string, string>> }[];
}

export interface WantedTopology {
  exchanges: readonly { name: string; type: string }[];
  queues: readonly WantedQueue[];
}

export interface FoundBinding {
  /** An exchange; empty for the default exchange, to which every queue is bound. */
  source: string;
  destination: string;
  destination_type: 'queue' | 'exchange';
  routing_key: string;
  arguments: Readonly<Record<string, unknown>>;
}

export interface FoundPolicy {
  name: string;
  /** A regular expression that names what it is about. */
  pattern: string;
  'apply-to': string;
  priority: number;
  definition: Readonly<Record<string, unknown>>;
}

/** Entities of the broker, in the words of its management API. */
export interface FoundTopology {
  exchanges: readonly { name: string; type: string; durable: boolean }[];
  queues: readonly (DyingQueue & { durable: boolean; arguments: Readonly<Record<string, unknown>> })[];
  bindings: readonly FoundBinding[];
  policies: readonly FoundPolicy[];
  /** Set by the broker's operator; hold beside the policies. */
  operatorPolicies: readonly FoundPolicy[];
}

/** Keys of a policy that change where messages go, or whether they stay. */
const DECIDING_KEYS = [
  'alternate-exchange',
  'dead-letter-exchange',
  'dead-letter-routing-key',
  'dead-letter-strategy',
  'delivery-limit',
  'expires',
  'max-length',
  'max-length-bytes',
  'message-ttl',
  'overflow',
];

/** Every difference between the contract and what the broker has of its entities, one sentence each; other entities are free. */
export function compareTopology(wanted: WantedTopology, found: FoundTopology): string[] {
  const queues = new Map(found.queues.map((queue) => [queue.name, queue]));
  const exchanges = new Map(found.exchanges.map((exchange) => [exchange.name, exchange]));
  return [
    ...wanted.exchanges.flatMap(({ name, type }) => {
      const exchange = exchanges.get(name);
      if (exchange === undefined) return [`exchange ${name} is missing`];
      const wrong =
        exchange.type !== type || !exchange.durable ? [`exchange ${name} is not a durable ${type} exchange`] : [];
      return [...wrong, ...comparePolicies('exchange', { name, arguments: {} }, found)];
    }),
    ...wanted.queues.flatMap((queue) => {
      const { name } = queue;
      const present = queues.get(name);
      if (present === undefined) return [`queue ${name} is missing`];
      return [...compareArguments(queue, present.arguments), ...comparePolicies('queue', queue, found)];
    }),
    ...compareBindings(wanted, found.bindings),
  ];
}

function compareArguments(
  { name, arguments: wanted }: WantedQueue,
  found: Readonly<Record<string, unknown>>,
): string[] {
  const keys = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  return [...keys]
    .filter((key) => wanted[key] !== found[key])
    .map((key) => `queue ${name}: ${key} is ${tell(found[key])}, not ${tell(wanted[key])}`);
}

/** The policy of highest priority holds, among those of a kind that fit. */
function comparePolicies(
  kind: 'queue' | 'exchange',
  entity: Omit<WantedQueue, 'bindings'>,
  found: FoundTopology,
): string[] {
  const holding = [found.policies, found.operatorPolicies].flatMap((policies) => {
    const fitting = policies.filter((policy) => appliesTo(policy, kind, entity.name));
    return fitting.sort((a, b) => b.priority - a.priority).slice(0, 1);
  });
  return holding.flatMap(({ name: policy, definition }) =>
    Object.entries(definition)
      .filter(([key, value]) => DECIDING_KEYS.includes(key) && entity.arguments[`x-${key}`] !== value)
      .map(([key, value]) => {
        const wanted = tell(entity.arguments[`x-${key}`]);
        return `${kind} ${entity.name}: policy ${policy} sets ${key} to ${tell(value)}, not ${wanted}`;
      }),
  );
}

function appliesTo({ pattern, 'apply-to': kinds }: FoundPolicy, kind: 'queue' | 'exchange', name: string): boolean {
  // Such as `queues`, `quorum_queues`, `exchanges`, `all`.
  const fits = kinds === 'all' || (kinds.endsWith(`${kind}s`) && !/^(classic_queues|streams)$/.test(kinds));
  try {
    return fits && new RegExp(pattern, 'u').test(name);
  } catch {
    // A pattern of the broker's own dialect: better one difference too many.
    return fits;
  }
}

/** Whatever leads to the contract's entities; what leads away from its exchanges is the subscribers'. */
function compareBindings(wanted: WantedTopology, bindings: readonly FoundBinding[]): string[] {
  const ours = new Set([...wanted.exchanges, ...wanted.queues].map(({ name }) => name));
  const told = bindings
    .filter(({ source, destination }) => source !== '' && ours.has(destination))
    .map((binding) => ({ ...binding, exchange: binding.source, key: binding.routing_key }));
  const expected = wanted.queues.flatMap(({ name, bindings: own }) =>
    own.map((binding) => ({ ...binding, destination: name, arguments: binding.arguments ?? {} })),
  );
  const names = new Set(told.map(nameBinding));
  const expectedNames = new Set(expected.map(nameBinding));
  return [
    ...expected
      .filter((binding) => !names.has(nameBinding(binding)))
      .map((binding) => `binding ${nameBinding(binding)} is missing`),
    ...told
      .filter((binding) => !expectedNames.has(nameBinding(binding)))
      .map((binding) => `binding ${nameBinding(binding)} is not of the contract`),
  ];
}

function nameBinding(binding: {
  exchange: string;
  destination: string;
  key: string;
  arguments: Readonly<Record<string, unknown>>;
}): string {
  const { exchange, destination, key, arguments: given } = binding;
  const matching = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${exchange} → ${destination} (${[key, ...matching.map(([name, value]) => `${name}=${String(value)}`)].join(' ').trim()})`;
}

const tell = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value));
