import { isOperationName, type OperationName } from '../../../contracts/operations.js';
import type { AccessPolicy, CallerRights, Door } from './access-policy.js';

/** Why a caller is not served. */
export interface AccessRefusal {
  /** `UNAUTHENTICATED`: nobody known; `FORBIDDEN`: known, and not allowed. */
  code: 'UNAUTHENTICATED' | 'FORBIDDEN';
  /** The field at fault; null where it is not one. */
  path: string | null;
  message: string;
}

const IDENTITIES: Readonly<Record<Door, string>> = {
  amqp: 'user_id: is required: the AMQP user, which the broker checks',
  http: 'authorization: must be Bearer and a token of a listed caller',
};

/**
 * Finds out who calls, and whether that caller may call this operation at all. A name that is no operation is let through, to be
 * refused as such.
 * @param caller the identity that the broker or the HTTP door has checked
 */
export function judgeCaller(
  policy: AccessPolicy,
  { door, caller, operation }: { door: Door; caller: string | null; operation: string },
): { ok: true; rights: CallerRights } | { ok: false; refusal: AccessRefusal } {
  const refused = (code: AccessRefusal['code'], message: string) =>
    ({ ok: false, refusal: { code, path: null, message } }) as const;
  if (caller === null) return refused('UNAUTHENTICATED', IDENTITIES[door]);
  const rights = policy.get(caller);
  if (rights === undefined) return refused('FORBIDDEN', 'the caller is not listed');
  if (!rights.doors.has(door)) return refused('FORBIDDEN', `the caller may not come over ${door}`);
  if (isOperationName(operation) && !rights.operations.has(operation)) {
    return refused('FORBIDDEN', `${operation} is not among the caller's operations`);
  }
  return { ok: true, rights };
}

const OWN_QUEUES = 'reply.';

/**
 * Whether a caller may have its reply written to a queue: `reply.<name>` and `reply.<name>.…` are that caller's alone
 * (of two listed names that fit, the longer one's); every other queue has a name that the broker gave.
 */
export function mayBeAnsweredAt(policy: AccessPolicy, caller: string | null, replyTo: string): boolean {
  if (!replyTo.startsWith(OWN_QUEUES)) return true;
  for (
    let owner = replyTo.slice(OWN_QUEUES.length);
    owner !== '';
    owner = owner.slice(0, Math.max(0, owner.lastIndexOf('.')))
  ) {
    if (owner === caller) return true;
    if (policy.has(owner)) return false;
  }
  return false;
}

/**
 * Whether a valid body speaks for the caller and of its users only; null where it does. Which user an account is of
 * stands in no body: see `judgeOwner`. A query changes nothing in anybody's name: a caller that may see all users'
 * accounts may ask it about any service.
 */
export function judgeFields(rights: CallerRights, body: object, operation = ''): AccessRefusal | null {
  const { service_name: service, user_id: userId, accounts = [] } = body as Partial<Record<string, unknown>>;
  const mayNameOthers = operation.startsWith('query.') && rights.users === '*';
  if (typeof service === 'string' && service !== rights.name && !mayNameOthers) {
    return forbidden('service_name', "must be the caller's own");
  }
  const users = [
    { path: 'user_id', user: userId },
    ...(accounts as { user_id: unknown }[]).map(({ user_id: user }, index) => ({
      path: `accounts.${index}.user_id`,
      user,
    })),
  ];
  const strange = users.find(({ user }) => typeof user === 'number' && !mayHave(rights, user));
  return strange === undefined ? null : forbidden(strange.path, "is not among the caller's users");
}

const NEEDS_LEASE: ReadonlySet<OperationName> = new Set([
  'account.release',
  'account.error',
  'action.acquire',
  'action.record',
]);

/** Whether the body names no lease though the caller's have to (`lease_required`). */
export const lacksLease = (
  rights: Pick<CallerRights, 'leaseRequired'> | undefined,
  operation: OperationName,
  body: object,
): boolean =>
  rights?.leaseRequired === true && NEEDS_LEASE.has(operation) && !('lease_id' in body && body.lease_id !== undefined);

/** Whether the account's user is one of the caller's; null where it is. */
export const judgeOwner = (rights: CallerRights, ownerId: number): AccessRefusal | null =>
  mayHave(rights, ownerId) ? null : forbidden('account_id', "is of a user who is not among the caller's");

const mayHave = ({ users }: CallerRights, userId: number): boolean => users === '*' || users.has(userId);

const forbidden = (path: string, rule: string): AccessRefusal => ({
  code: 'FORBIDDEN',
  path,
  message: `${path}: ${rule}`,
});
