import { randomUUID } from 'node:crypto';
import type { RowFault } from '../../../contracts/admin.js';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import {
  findKnownAccounts,
  findRemoved,
  insertAccounts,
  type KnownAccount,
  type NewSession,
  replaceSessions,
} from '../../store/accounts/register-accounts.js';
import { type ParsedSession, parseSessionString, type SessionFault } from '../../telegram/parse-session-string.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { finishWork } from '../../accounts/finish-work.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { takeOverStanding } from '../../accounts/take-over-standing.js';
import { beginWork, extendWork } from '../../accounts/load-work.js';
import { appendEvent, type UnitOfWork } from '../../accounts/unit-of-work.js';

type Request = AcceptedRequest<'admin.register'>;
type GivenAccount = Exclude<RequestBody<'admin.register'>['accounts'][number], { fault: RowFault }>;
type Registered = ReplyBody<'admin.register'>['accounts'][number];

/**
 * `admin.register`. An account is known by its phone number, without one by the key of its session. The session is
 * checked and sealed. It is refused where its key belongs to another account. Each account is judged alone: a bad one
 * does not keep its neighbours out.
 */
export const register: OperationHandler<'admin.register'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'admin.register'>[] = [];
    for (const request of requests) outcomes.push(await registerOne(context, request));
    return outcomes;
  },
};

interface Plan {
  inserts: (NewSession & { userId: number })[];
  replacements: NewSession[];
  results: Registered[];
  /** By account id: how they stand where they come from. */
  given: Map<string, GivenAccount>;
}

interface GivenRow {
  account: GivenAccount;
  session: ParsedSession | SessionFault;
}

async function registerOne(context: BatchContext, request: Request): Promise<Outcome<'admin.register'>> {
  const given = request.body.accounts.map(readRow);
  const sound = given.flatMap((row) => ('fault' in row ? [] : row));
  const ids = sound.flatMap(({ account }) => account.account_id ?? []);
  const found = await findKnownAccounts(context.sql, {
    phones: sound.flatMap(({ account }) => account.phone ?? []),
    fingerprints: sound.flatMap(({ session }) => (session.ok ? session.keyFingerprint : [])),
    ids,
  });
  const channels = new Set(sound.flatMap(({ account }) => channelsOf(account)));
  const work = await beginWork(
    context.sql,
    found.map((account) => account.accountId),
    [...channels],
  );
  // One that was found may have been removed before its lock was had.
  const known = found.filter(({ accountId }) => work.accounts.has(accountId));
  const plan = planRegistration(context, given, known, await findRemoved(context.sql, ids));
  await insertAccounts(context.sql, plan.inserts);
  await replaceSessions(context.sql, plan.replacements);
  await announce(context, work, plan, request);
  await finishWork(context, work);
  const created = plan.inserts.length;
  const updated = plan.replacements.length;
  return {
    reply: { success: true, accounts: plan.results },
    log: { created, updated, rejected: plan.results.length - created - updated },
  };
}

const channelsOf = ({ usage }: GivenAccount): string[] =>
  Object.values(usage ?? {}).flatMap((ofAction) => [...(ofAction.by_channel?.keys() ?? [])]);

/** Characters that JSON can write and PostgreSQL cannot store. `JSON.stringify` writes both kinds as escapes. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

const normalisePhone = (phone: string): string => (phone.startsWith('+') ? phone : `+${phone}`);

function readRow(row: Request['body']['accounts'][number]): GivenRow | { fault: RowFault } {
  if (row.fault !== undefined) return row;
  return {
    account: { ...row, phone: row.phone === undefined ? undefined : normalisePhone(row.phone) },
    session: parseSessionString(row.session_data),
  };
}

/** The registered accounts, and those planned so far for this request. */
interface Taken {
  byPhone: Map<string, KnownAccount>;
  byFingerprint: Map<string, KnownAccount>;
  byId: Map<string, KnownAccount>;
  /** Ids that may not come back. */
  removed: ReadonlySet<string>;
  /** Index in the request, by account id. */
  namedAt: Map<string, number>;
}

function planRegistration(
  { cipher }: BatchContext,
  given: readonly (GivenRow | { fault: RowFault })[],
  known: readonly KnownAccount[],
  removed: ReadonlySet<string>,
): Plan {
  const taken: Taken = {
    byPhone: new Map(known.flatMap((account) => (account.phone === null ? [] : [[account.phone, account]]))),
    byFingerprint: new Map(known.map((account) => [account.fingerprint, account])),
    byId: new Map(known.map((account) => [account.accountId, account])),
    removed,
    namedAt: new Map(),
  };
  const plan: Plan = { inserts: [], replacements: [], results: [], given: new Map() };

  given.forEach((row, index) => {
    const fault = 'fault' in row ? row.fault : findFault(row, taken);
    if ('fault' in row || fault !== null) {
      const { field, reason } = fault ?? { field: null, reason: '' };
      plan.results.push({ index, outcome: 'rejected', reason: hideSecrets(reason), ...nameField(field) });
      return;
    }
    const { account, session } = row;
    const fingerprint = session.ok ? session.keyFingerprint : '';
    const { target } = findTarget(row, taken);
    const accountId = target?.accountId ?? account.account_id ?? randomUUID();
    const { phone = null, metadata = null } = account;
    const stored = { accountId, phone, ...cipher.encrypt(account.session_data, accountId), fingerprint, metadata };
    if (target === undefined) plan.inserts.push({ ...stored, userId: account.user_id });
    else plan.replacements.push(stored);
    plan.given.set(accountId, account);
    take(taken, { accountId, userId: account.user_id, phone: phone ?? target?.phone ?? null, fingerprint }, index);
    plan.results.push({ index, account_id: accountId, outcome: target === undefined ? 'created' : 'updated' });
  });
  return plan;
}

function take({ byPhone, byFingerprint, byId, namedAt }: Taken, account: KnownAccount, index: number): void {
  if (account.phone !== null) byPhone.set(account.phone, account);
  byFingerprint.set(account.fingerprint, account);
  byId.set(account.accountId, account);
  namedAt.set(account.accountId, index);
}

const nameField = (field: string | null) => (field === null ? {} : { field: hideSecrets(field) });

/**
 * The registered account that a row is of, and the field that says so: its phone number, else the key of its session,
 * else its id. Where the row names a phone number, key and id do only for an account that has none yet.
 */
function findTarget(
  { account, session }: GivenRow,
  { byPhone, byFingerprint, byId }: Taken,
): { target: KnownAccount | undefined; by: 'phone' | 'session_data' | 'account_id' } {
  const samePhone = account.phone === undefined ? undefined : byPhone.get(account.phone);
  if (samePhone !== undefined) return { target: samePhone, by: 'phone' };
  const mayBe = (known: KnownAccount | undefined): known is KnownAccount =>
    known !== undefined && (account.phone === undefined || known.phone === null);
  const sameKey = session.ok ? byFingerprint.get(session.keyFingerprint) : undefined;
  if (mayBe(sameKey)) return { target: sameKey, by: 'session_data' };
  const sameId = account.account_id === undefined ? undefined : byId.get(account.account_id);
  return { target: mayBe(sameId) ? sameId : undefined, by: 'account_id' };
}

/** Why a row that is sound by itself cannot be registered beside what is there; null: it can. */
function findFault(row: GivenRow, taken: Taken): RowFault | null {
  const { account, session } = row;
  const fault = (field: keyof GivenAccount, rule: string): RowFault => ({ field, reason: `${field}: ${rule}` });
  if (!session.ok) return fault('session_data', session.message);
  if (UNSTORABLE.test(JSON.stringify(account.metadata ?? null)))
    return fault('metadata', 'must hold neither NUL nor half of a surrogate pair');
  const { target, by } = findTarget(row, taken);
  const before = target && taken.namedAt.get(target.accountId);
  if (before !== undefined) return fault(by, `stands at index ${before} of this request already`);
  const sameKey = taken.byFingerprint.get(session.keyFingerprint);
  if (sameKey !== undefined && sameKey.accountId !== target?.accountId)
    return fault('session_data', 'its key is registered already, for another account');
  if (target !== undefined && target.userId !== account.user_id)
    return fault(by, 'registered already, for another user');
  const { account_id: id } = account;
  if (id === undefined) return null;
  if (target !== undefined) {
    const same = by === 'phone' ? 'phone' : 'session';
    return target.accountId === id
      ? null
      : fault('account_id', `differs from the one under which the ${same} is registered`);
  }
  if (taken.byId.has(id)) return fault('account_id', 'registered already, for another account');
  return taken.removed.has(id)
    ? fault('account_id', 'is that of an account that was removed; give another, or none')
    : null;
}

async function announce(context: BatchContext, work: UnitOfWork, plan: Plan, request: Request): Promise<void> {
  await extendWork(
    context.sql,
    work,
    plan.inserts.map((account) => account.accountId),
    [],
  );
  for (const { account_id: accountId, outcome } of plan.results) {
    const account = work.accounts.get(accountId ?? '');
    const given = plan.given.get(accountId ?? '');
    if (account === undefined || given === undefined) continue;
    appendEvent(work, account, 'account.registered', { outcome }, request);
    if (outcome === 'created') work.changes.activated.add(account.userId);
    takeOverStanding(work, account, given, context.policy, request);
  }
}
