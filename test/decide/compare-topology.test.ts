import { expect, test } from '@jest/globals';
import { compareTopology, type FoundPolicy, type FoundTopology } from '../../src/decide/messages/compare-topology.js';

const wanted = {
  exchanges: [{ name: 'in', type: 'topic' }],
  queues: [
    {
      name: 'work',
      arguments: { 'x-queue-type': 'quorum', 'x-max-length': 10 },
      bindings: [
        { exchange: 'in', key: 'a.*' },
        { exchange: 'in', key: '', arguments: { 'x-match': 'all', b: '1' } },
      ],
    },
  ],
};
const binding = {
  source: 'in',
  destination: 'work',
  destination_type: 'queue',
  routing_key: 'a.*',
  arguments: {},
} as const;
const byHeader = { ...binding, routing_key: '', arguments: { b: '1', 'x-match': 'all' } };
const same: FoundTopology = {
  exchanges: [
    { name: 'in', type: 'topic', durable: true },
    { name: 'other', type: 'fanout', durable: false },
  ],
  queues: [
    { name: 'work', durable: true, arguments: { 'x-max-length': 10, 'x-queue-type': 'quorum' } },
    { name: 'other', durable: true, arguments: {} },
  ],
  bindings: [
    { ...binding, source: '', routing_key: 'work' },
    binding,
    byHeader,
    // Bindings from the contract's exchanges to somebody else's queues are theirs.
    { ...binding, destination: 'other' },
  ],
  policies: [],
  operatorPolicies: [],
};
const policy = (definition: Record<string, unknown>, more: Partial<FoundPolicy> = {}): FoundPolicy => ({
  name: 'p',
  pattern: '^wo',
  'apply-to': 'all',
  priority: 0,
  definition,
  ...more,
});

test.each<[string, Partial<FoundTopology>, string[]]>([
  ['nothing', {}, []],
  ['a missing exchange', { exchanges: [] }, ['exchange in is missing']],
  [
    'an exchange of another type',
    { exchanges: [{ name: 'in', type: 'direct', durable: true }] },
    ['exchange in is not a durable topic exchange'],
  ],
  ['a missing queue', { queues: [] }, ['queue work is missing']],
  [
    'arguments: one changed, one missing, one too many',
    { queues: [{ name: 'work', durable: true, arguments: { 'x-max-length': 11, 'x-expires': 5 } }] },
    [
      'queue work: x-queue-type is unset, not "quorum"',
      'queue work: x-max-length is 11, not 10',
      'queue work: x-expires is 5, not unset',
    ],
  ],
  ['a missing binding', { bindings: [byHeader] }, ['binding in → work (a.*) is missing']],
  [
    'bindings too many, from exchanges and to exchanges',
    {
      bindings: [
        binding,
        byHeader,
        { ...binding, routing_key: '#' },
        { ...binding, source: 'amq.topic' },
        { ...binding, source: 'other', destination: 'in', destination_type: 'exchange' },
      ],
    },
    [
      'binding in → work (#) is not of the contract',
      'binding amq.topic → work (a.*) is not of the contract',
      'binding other → in (a.*) is not of the contract',
    ],
  ],
  [
    'a policy that decides',
    { policies: [policy({ 'message-ttl': 5, 'queue-master-locator': 'x' })] },
    ['queue work: policy p sets message-ttl to 5, not unset'],
  ],
  ['a policy that says what the contract says', { policies: [policy({ 'max-length': 10 })] }, []],
  ['a policy for others', { policies: [policy({ 'max-length': 1 }, { pattern: '^other' })] }, []],
  ['a policy for exchanges', { policies: [policy({ 'max-length': 1 }, { 'apply-to': 'exchanges' })] }, []],
  ['a policy for classic queues', { policies: [policy({ 'max-length': 1 }, { 'apply-to': 'classic_queues' })] }, []],
  [
    'of several policies the one that holds',
    { policies: [policy({ 'max-length': 1 }), policy({ expires: 2 }, { priority: 3, name: 'q' })] },
    ['queue work: policy q sets expires to 2, not unset'],
  ],
  [
    "an operator's policy beside a policy, and one whose pattern is not of this dialect",
    {
      policies: [policy({ expires: 2 }, { pattern: '(?P<x>w)', 'apply-to': 'queues' })],
      operatorPolicies: [policy({ 'max-length': 1 }, { 'apply-to': 'quorum_queues', name: 'o' })],
    },
    ['queue work: policy p sets expires to 2, not unset', 'queue work: policy o sets max-length to 1, not 10'],
  ],
  [
    'an alternate exchange',
    { policies: [policy({ 'alternate-exchange': 'x' }, { pattern: 'in' })] },
    ['exchange in: policy p sets alternate-exchange to "x", not unset'],
  ],
])('tells %s', (_what, changed, differences) => {
  expect(compareTopology(wanted, { ...same, ...changed })).toEqual(differences);
});
