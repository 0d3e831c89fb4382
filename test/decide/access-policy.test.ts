import { expect, test } from '@jest/globals';
import { OPERATION_NAMES } from '../../contracts/operations.js';
import { type CallerRights, DEFAULT_CALLER_LIMITS, parseAccess } from '../../src/decide/access/access-policy.js';

const HASH = 'ab'.repeat(32);

const rightsOf = (service: object): CallerRights => {
  const parsed = parseAccess({ services: [{ name: 'inviting', users: [1], ...service }] }, null);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.policy.get('inviting')!;
};
const pathsOf = (services: unknown): string[] => {
  const parsed = parseAccess({ services }, null);
  return parsed.ok ? [] : parsed.issues.map(({ path }) => path);
};

test('a service may do everything but the operator’s, an operator everything', () => {
  const service = OPERATION_NAMES.filter((name) => !name.startsWith('admin.'));
  expect(rightsOf({})).toEqual({
    name: 'inviting',
    users: new Set([1]),
    operations: new Set(service),
    doors: new Set(['amqp', 'http']),
    tokenHashes: [],
    ...DEFAULT_CALLER_LIMITS,
    leaseRequired: false,
    regrants: false,
  });
  expect(rightsOf({ role: 'operator', users: '*' })).toMatchObject({
    users: '*',
    operations: new Set(OPERATION_NAMES),
  });
});

test('operations are given by name and by group', () => {
  const { operations } = rightsOf({ operations: ['account.allocate', 'action.*'] });
  expect(operations).toEqual(new Set(['account.allocate', 'action.check', 'action.acquire', 'action.record']));
  expect(rightsOf({ role: 'operator', operations: ['admin.recover'] }).operations).toEqual(new Set(['admin.recover']));
});

test('limits, doors and tokens are taken as they are', () => {
  const given = {
    lease_required: true,
    reentry: true,
    doors: ['http'],
    http_token_sha256: [HASH.toUpperCase()],
    requests_per_second: 0.5,
  };
  expect(rightsOf({ ...given, concurrent_requests: 3 })).toMatchObject({
    doors: new Set(['http']),
    tokenHashes: [HASH],
    requestsPerSecond: 0.5,
    leaseRequired: true,
    regrants: true,
    concurrentRequests: 3,
  });
});

test('every fault is named at once', () => {
  expect(
    pathsOf([
      { name: 'Inviting', users: [-1], role: 'root', surprise: true },
      { name: 'two', users: [], operations: [], doors: ['telnet'], http_token_sha256: ['short'] },
      { name: 'three', requests_per_second: 0, concurrent_requests: 0.5 },
    ]).toSorted(),
  ).toEqual(
    [
      'services.0',
      'services.0.name',
      'services.0.role',
      'services.0.users.0',
      'services.1.doors.0',
      'services.1.http_token_sha256.0',
      'services.1.operations',
      'services.1.users',
      'services.2.concurrent_requests',
      'services.2.requests_per_second',
      'services.2.users',
    ].toSorted(),
  );
  const one = { name: 'one', users: '*', http_token_sha256: [HASH] };
  expect(pathsOf([one, one])).toEqual(['services.1.name', 'services.1.http_token_sha256.0']);
  expect(pathsOf([{ ...one, operations: ['query.*', 'account', 'account.alocate', '*', 'admin.*'] }])).toEqual([
    'services.0.operations.1',
    'services.0.operations.2',
    'services.0.operations.3',
    'services.0.operations.4',
  ]);
  expect(pathsOf([])).toEqual(['services']);
  expect(parseAccess([], null)).toMatchObject({ ok: false, issues: [{ path: '' }] });
});

test('nobody has the user whose messages are believed', () => {
  const services = [
    { name: 'inviting', users: '*' },
    { name: 'account-manager', users: '*' },
  ];
  expect(parseAccess({ services }, 'account-manager')).toMatchObject({
    ok: false,
    issues: [{ path: 'services.1.name' }],
  });
  expect(parseAccess({ services }, 'guest').ok).toBe(true);
});
