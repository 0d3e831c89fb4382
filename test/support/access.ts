import { type AccessPolicy, parseAccess } from '../../src/decide/access/access-policy.js';

/** The access policy of a file that lists these services. */
export function policyOf(...services: object[]): AccessPolicy {
  const parsed = parseAccess({ services }, null);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.policy;
}

/** `ops` may see everybody's accounts; `owner` those of the users given. */
export const operatorsOf = (...users: number[]): AccessPolicy =>
  policyOf({ name: 'ops', role: 'operator', users: '*' }, { name: 'owner', role: 'operator', users });
