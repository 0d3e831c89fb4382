import fc from 'fast-check';
import { EXAMPLES } from '../../contracts/examples.js';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operations.js';

/** How a message is made of an example of the contract, whatever its values are bound to when it is sent. */
export interface Plan {
  door: 'amqp' | 'http';
  operation: OperationName;
  /** Which of its examples, and which of the accounts at hand. */
  example: number;
  account: number;
  /** Done to the body's value, each to the field it picks. */
  mutations: Mutation[];
  /** Done to the text the value becomes. */
  spoil: Spoil | null;
  /** In the place of the body altogether. */
  body: Uint8Array | null;
  envelope: EnvelopePlan;
}

export type Mutation =
  | { kind: 'drop' | 'duplicate' | 'wrap'; at: number }
  | { kind: 'rename'; at: number; key: string }
  | { kind: 'replace' | 'add'; at: number; key: string; value: unknown }
  | { kind: 'nest'; at: number; depth: number };

export type Spoil =
  | { kind: 'truncate'; share: number }
  | { kind: 'flip'; bits: { share: number; bit: number }[] }
  | { kind: 'insert'; share: number; bytes: Uint8Array }
  | { kind: 'utf16' | 'bom' | 'twice' };

/** The oddity of the properties; null: as a caller should send them. */
export interface EnvelopePlan {
  /** Overrides the routing key, or the path. */
  key: string | null;
  messageId: 'fresh' | 'none' | 'repeat' | { text: string };
  correlation: 'fresh' | 'none' | { text: string };
  replyTo: 'direct' | 'named' | 'none' | 'refused';
  contentType: string | null;
  contentEncoding: string | null;
  expirationMs: number | null;
  headers: [name: string, value: unknown][];
  type: string | null;
}

/** Texts that have broken something somewhere. */
const NASTY = [
  '',
  ' ',
  '\0',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '-1',
  "'; DROP TABLE leases; --",
  '${jndi:x}',
  '../../etc/passwd',
  '%00',
  '\u202eabc',
  '\ufeff',
  '\ud800',
  'é'.normalize('NFD'),
  '👩‍👩‍👧‍👦',
  'İ',
  'x'.repeat(300),
  'x'.repeat(5_000),
  '1e400',
  '9007199254740993',
  '2026-02-30T00:00:00Z',
  '+1 (500) 555-0006',
  't.me/+hash',
  'https://t.me/c/1/2',
  '00000000-0000-0000-0000-000000000000',
];
const nasty = fc.constantFrom(...NASTY);
const text = fc.oneof(
  { weight: 2, arbitrary: nasty },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);
const number = fc.oneof(
  fc.constantFrom(0, -0, -1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21, 1e308, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value = fc.oneof(
  { maxDepth: 2 },
  { weight: 3, arbitrary: text },
  number,
  fc.constantFrom<unknown>(null, true, false, [], {}),
  fc.jsonValue({ maxDepth: 3 }),
);
const at = fc.nat(40);
const share = fc.double({ min: 0, max: 1, noNaN: true });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('drop' as const, 'duplicate' as const, 'wrap' as const), at }),
  fc.record({ kind: fc.constant('rename' as const), at, key: text }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('replace' as const), at, key: text, value }) },
  fc.record({ kind: fc.constant('add' as const), at, key: text, value }),
  fc.record({ kind: fc.constant('nest' as const), at, depth: fc.constantFrom(1, 2, 3, 5, 14, 17, 1_000) }),
);

const spoil: fc.Arbitrary<Spoil> = fc.oneof(
  fc.record({ kind: fc.constant('truncate' as const), share }),
  fc.record({
    kind: fc.constant('flip' as const),
    bits: fc.array(fc.record({ share, bit: fc.nat(7) }), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('insert' as const), share, bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
  fc.record({ kind: fc.constantFrom('utf16' as const, 'bom' as const, 'twice' as const) }),
);

const body: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json({ maxDepth: 5 }).map((json) => new TextEncoder().encode(json)),
  fc
    .constantFrom('', '[]', '"text"', '1e999', '{"a":1e999}', '{"__proto__":{"a":1}}', '{"a":1,"a":2}')
    .map((json) => new TextEncoder().encode(json)),
  fc.constantFrom(262_144, 262_145, 300_000).map((length) => new Uint8Array(length).fill(0x20)),
);

/** Names and values that the service, the broker or a library reads; AMQP tells types apart that JSON does not. */
const headerName = fc.oneof(
  fc.constantFrom(
    ...['x-deadline', 'traceparent', 'tracestate', 'x-death', 'x-original-user-id', 'x-attempt', 'x-retry'],
    ...['x-error-code', 'x-first-death-queue', '__proto__', 'constructor', 'BCC-'],
  ),
  fc.string({ minLength: 1, maxLength: 60 }).filter((name) => !/^b?cc$/i.test(name)),
);
const headerValue: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.constantFrom<unknown>(
    ...['2020-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z', '2026-13-01', 'tomorrow'],
    ...['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true, 0, -1, 1.5, 2 ** 40, null, []],
    { '!': 'timestamp', value: 1_700_000_000 },
    { '!': 'decimal', value: { digits: 123, places: 2 } },
    { '!': 'float', value: 0.25 },
    [{ queue: 'account-manager.retry.5s', reason: 'expired', count: 3, 'routing-keys': ['account.allocate'] }],
    [[[['deep']]]],
    'x'.repeat(9_000),
  ),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.dictionary(fc.string({ maxLength: 10 }), text, { maxKeys: 3 }),
);

/** Mostly as it should be, so that the rest is reached too. */
const mostly = <T, U>(usual: T, odd: fc.Arbitrary<U>, weight = 12): fc.Arbitrary<T | U> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });

const key = fc.oneof(
  fc.constantFrom(
    'query.nothing',
    'action.',
    'action.*',
    'query.#',
    'account.steal',
    'admin.nothing',
    'query.__proto__',
  ),
  fc.constantFrom(...OPERATION_NAMES),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
const envelope: fc.Arbitrary<EnvelopePlan> = fc.record({
  key: mostly(null, key, 20),
  messageId: mostly(
    'fresh' as const,
    fc.oneof(fc.constantFrom('none' as const, 'repeat' as const), fc.record({ text })),
  ),
  correlation: mostly('fresh' as const, fc.oneof(fc.constant('none' as const), fc.record({ text }))),
  replyTo: mostly('direct' as const, fc.constantFrom('named' as const, 'none' as const, 'refused' as const)),
  contentType: mostly(
    null,
    fc.constantFrom(
      '',
      'text/plain',
      'application/json; charset=utf-8',
      'application/json;charset=latin1',
      'application/xml',
    ),
    20,
  ),
  contentEncoding: mostly(null, fc.constantFrom('gzip', 'utf-8', 'identity', 'br'), 30),
  expirationMs: mostly(null, fc.constantFrom(0, 1, 20, 60_000), 30),
  headers: mostly([], fc.array(fc.tuple(headerName, headerValue), { minLength: 1, maxLength: 4 }), 4),
  type: mostly(null, text, 20),
});

/** A job takes a worker thread each time: one in so many is enough. */
const operation = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...OPERATION_NAMES.filter((name) => name !== 'admin.run-job')) },
  { weight: 1, arbitrary: fc.constant('admin.run-job' as const) },
  // So that there is something to renew, acquire, release.
  { weight: 8, arbitrary: fc.constantFrom('account.allocate' as const, 'account.release' as const) },
);

/** Some are well; the rest is wrong in one way or several. */
const plan: fc.Arbitrary<Plan> = fc.record({
  door: fc.oneof(
    { weight: 9, arbitrary: fc.constant('amqp' as const) },
    { weight: 1, arbitrary: fc.constant('http' as const) },
  ),
  operation,
  example: fc.nat(10),
  account: fc.nat(1_000),
  mutations: fc.oneof(fc.constant<Mutation[]>([]), {
    weight: 3,
    arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }),
  }),
  spoil: mostly(null, spoil, 8),
  body: mostly(null, body, 25),
  envelope,
});

/** The same for the same seed. */
export const drawPlans = (seed: number, count: number): Plan[] => fc.sample(plan, { seed, numRuns: count });

/** The example the plan speaks of. */
export const exampleOf = ({ operation, example }: Plan): Record<string, unknown> => {
  const examples = EXAMPLES[operation];
  return examples[example % examples.length]?.request ?? {};
};
