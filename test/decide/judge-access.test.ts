import { expect, test } from '@jest/globals';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import { type JsonSchema, toSchema } from '../../scripts/contracts/schemas.js';
import { parseAccess } from '../../src/decide/access/access-policy.js';
import { judgeCaller, judgeFields, judgeOwner } from '../../src/decide/access/judge-access.js';

const parsed = parseAccess(
  {
    services: [
      { name: 'inviting', users: [1, 2], operations: ['account.*'], doors: ['amqp'] },
      { name: 'ops', role: 'operator', users: '*' },
    ],
  },
  null,
);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
const { policy } = parsed;
const inviting = policy.get('inviting')!;
const ops = policy.get('ops')!;

const judge = (caller: string | null, operation = 'account.renew', door: 'amqp' | 'http' = 'amqp') => {
  const judged = judgeCaller(policy, { door, caller, operation });
  return judged.ok ? judged.rights.name : judged.refusal.code;
};

test('who is not listed gets nothing', () => {
  expect(judge(null)).toBe('UNAUTHENTICATED');
  expect(judge(null, 'no.operation', 'http')).toBe('UNAUTHENTICATED');
  expect(judge('stranger')).toBe('FORBIDDEN');
  expect(judge('')).toBe('FORBIDDEN');
  expect(judge('__proto__')).toBe('FORBIDDEN');
});

test('who is listed may call its operations, over its doors', () => {
  expect(judge('inviting')).toBe('inviting');
  expect(judge('inviting', 'account.renew', 'http')).toBe('FORBIDDEN');
  expect(judge('inviting', 'action.check')).toBe('FORBIDDEN');
  expect(judge('inviting', 'admin.register')).toBe('FORBIDDEN');
  expect(judge('ops', 'admin.register', 'http')).toBe('ops');
  // Refused as what it is: no operation.
  expect(judge('inviting', 'no.operation')).toBe('inviting');
});

test('a body names the caller itself and its own users', () => {
  expect(judgeFields(inviting, { service_name: 'inviting', user_id: 2 })).toBeNull();
  expect(judgeFields(inviting, {})).toBeNull();
  expect(judgeFields(inviting, { service_name: 'ops' })).toMatchObject({ code: 'FORBIDDEN', path: 'service_name' });
  expect(judgeFields(ops, { service_name: 'inviting' })).toMatchObject({ path: 'service_name' });
  // In a query it is whom the caller asks about.
  expect(judgeFields(ops, { service_name: 'inviting' }, 'query.leases')).toBeNull();
  expect(judgeFields(inviting, { service_name: 'ops' }, 'query.leases')).toMatchObject({ path: 'service_name' });
  expect(judgeFields(inviting, { user_id: 3 })).toMatchObject({ path: 'user_id' });
  expect(judgeFields(inviting, { user_id: 0 })).toMatchObject({ path: 'user_id' });
  const accounts = [{ user_id: 1 }, { user_id: 3 }];
  expect(judgeFields(inviting, { accounts })).toMatchObject({ code: 'FORBIDDEN', path: 'accounts.1.user_id' });
  expect(judgeFields(ops, { user_id: 3, accounts })).toBeNull();
  expect(judgeOwner(inviting, 1)).toBeNull();
  expect(judgeOwner(inviting, 3)).toMatchObject({ code: 'FORBIDDEN', path: 'account_id' });
  expect(judgeOwner(ops, 3)).toBeNull();
});

/** Every field of a schema whose name speaks of a user, an account or a service, wherever it stands. */
const speakingFields = (schema: JsonSchema | boolean, path = ''): string[] => {
  if (typeof schema === 'boolean') return [];
  const inside = [schema.items, ...(schema.anyOf ?? [])].flat().flatMap((inner) => speakingFields(inner ?? true, path));
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(/user|account|service/.test(name) ? [`${path}${name}`] : []),
    ...speakingFields(field, `${path}${name}.`),
  ]);
  return [...inside, ...fields];
};

test('no request names a user, an account or a service where it is not judged', () => {
  const found = new Set(
    OPERATION_NAMES.flatMap((name) => speakingFields(toSchema(OPERATIONS[name].request, 'draft-7'))),
  );
  expect([...found].toSorted()).toEqual([
    'account_id',
    'accounts',
    // Taken only where no account of another phone or user has it.
    'accounts.account_id',
    'accounts.user_id',
    // Only the accounts of the caller's users match.
    'filter.account_ids',
    'filter.user_id',
    // Granted only where it is of the user_id beside it.
    'preferred_account_id',
    'service_name',
    'user_id',
  ]);
});
