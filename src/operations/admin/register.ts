import { randomUUID } from 'node:crypto';
import type { RowFault } from '../../../contracts/admin.js';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import {
  findKnownAccounts,
  insertAccounts,
  type KnownAccount,
  type NewSession,
  replaceSessions,
} from '../../store/accounts/register-accounts.js';
import { type ParsedSession, parseSessionString, type SessionFault } from '../../telegram/parse-session-string.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { finishWork } from '../../accounts/finish-work.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { appendEvent, beginWork, extendWork, type UnitOfWork } from '../../accounts/unit-of-work.js';

type Request = AcceptedRequest<'admin.register'>;
type GivenAccount = Exclude<RequestBody<'admin.register'>['accounts'][number], { fault: RowFault }>;
type Registered = ReplyBody<'admin.register'>['accounts'][number];

/**
 * `admin.register`: an account is known by its phone number; its session is checked, sealed, and refused where its
 * key is another account's. Each account is judged alone: a bad one does not keep its neighbours out.
 */
export const register: OperationHandler<'admin.register'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'admin.register'>[] = [];
    for (const request of requests) outcomes.push(await registerOne(context, request));
    return outcomes;
  },
};

interface Plan {
  inserts: (NewSession & { userId: number; phone: string })[];
  replacements: NewSession[];
  results: Registered[];
}

interface GivenRow {
  account: GivenAccount;
  session: ParsedSession | SessionFault;
}

async function registerOne(context: BatchContext, request: Request): Promise<Outcome<'admin.register'>> {
  const given = request.body.accounts.map(readRow);
  const sound = given.flatMap((row) => ('fault' in row ? [] : row));
  const known = await findKnownAccounts(context.sql, {
    phones: sound.map(({ account }) => account.phone),
    fingerprints: sound.flatMap(({ session }) => (session.ok ? session.keyFingerprint : [])),
    ids: sound.flatMap(({ account }) => account.account_id ?? []),
  });
  const work = await beginWork(
    context.sql,
    known.map((account) => account.accountId),
    [],
  );
  const plan = planRegistration(context, given, known);
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

/** What JSON can write and PostgreSQL does not keep; `JSON.stringify` writes both as escapes. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

const normalisePhone = (phone: string): string => (phone.startsWith('+') ? phone : `+${phone}`);

function readRow(row: Request['body']['accounts'][number]): GivenRow | { fault: RowFault } {
  if (row.fault !== undefined) return row;
  return {
    account: { ...row, phone: normalisePhone(row.phone) },
    session: parseSessionString(row.session_data),
  };
}

/** What is registered, and what of this request has been planned so far. */
interface Taken {
  byPhone: Map<string, KnownAccount>;
  byFingerprint: Map<string, KnownAccount>;
  byId: Map<string, KnownAccount>;
  /** Index in the request, by phone. */
  namedAt: Map<string, number>;
}

function planRegistration(
  { cipher }: BatchContext,
  given: readonly (GivenRow | { fault: RowFault })[],
  known: readonly KnownAccount[],
): Plan {
  const taken: Taken = {
    byPhone: new Map(known.map((account) => [account.phone, account])),
    byFingerprint: new Map(known.map((account) => [account.fingerprint, account])),
    byId: new Map(known.map((account) => [account.accountId, account])),
    namedAt: new Map(),
  };
  const plan: Plan = { inserts: [], replacements: [], results: [] };

  given.forEach((row, index) => {
    const fault = 'fault' in row ? row.fault : findFault(row, taken);
    if ('fault' in row || fault !== null) {
      const { field, reason } = fault ?? { field: null, reason: '' };
      plan.results.push({ index, outcome: 'rejected', reason: hideSecrets(reason), ...nameField(field) });
      return;
    }
    const { account, session } = row;
    const fingerprint = session.ok ? session.keyFingerprint : '';
    const samePhone = taken.byPhone.get(account.phone);
    const accountId = samePhone?.accountId ?? account.account_id ?? randomUUID();
    const metadata = account.metadata ?? null;
    const stored = { accountId, ...cipher.encrypt(account.session_data, accountId), fingerprint, metadata };
    if (samePhone === undefined) plan.inserts.push({ ...stored, userId: account.user_id, phone: account.phone });
    else plan.replacements.push(stored);
    const entry = { accountId, userId: account.user_id, phone: account.phone, fingerprint };
    taken.namedAt.set(account.phone, index);
    taken.byPhone.set(account.phone, entry);
    taken.byFingerprint.set(fingerprint, entry);
    taken.byId.set(accountId, entry);
    plan.results.push({ index, account_id: accountId, outcome: samePhone === undefined ? 'created' : 'updated' });
  });
  return plan;
}

const nameField = (field: string | null) => (field === null ? {} : { field: hideSecrets(field) });

/** Why a row that is sound by itself cannot be registered beside what is there; null: it can. */
function findFault({ account, session }: GivenRow, { byPhone, byFingerprint, byId, namedAt }: Taken): RowFault | null {
  const fault = (field: keyof GivenAccount, rule: string): RowFault => ({ field, reason: `${field}: ${rule}` });
  if (!session.ok) return fault('session_data', session.message);
  if (UNSTORABLE.test(JSON.stringify(account.metadata ?? null)))
    return fault('metadata', 'must hold neither NUL nor half of a surrogate pair');
  const before = namedAt.get(account.phone);
  if (before !== undefined) return fault('phone', `stands at index ${before} of this request already`);
  const sameKey = byFingerprint.get(session.keyFingerprint);
  const samePhone = byPhone.get(account.phone);
  if (sameKey !== undefined && sameKey.phone !== account.phone)
    return fault('session_data', 'its key is registered already, for another account');
  if (samePhone !== undefined && samePhone.userId !== account.user_id)
    return fault('phone', 'registered already, for another user');
  if (account.account_id === undefined) return null;
  if (samePhone !== undefined && samePhone.accountId !== account.account_id)
    return fault('account_id', 'differs from the one under which the phone is registered');
  if (samePhone === undefined && byId.has(account.account_id))
    return fault('account_id', 'registered already, for another account');
  return null;
}

async function announce({ sql }: BatchContext, work: UnitOfWork, plan: Plan, request: Request): Promise<void> {
  await extendWork(
    sql,
    work,
    plan.inserts.map((account) => account.accountId),
    [],
  );
  for (const { account_id: accountId, outcome } of plan.results) {
    const account = accountId === undefined ? undefined : work.accounts.get(accountId);
    if (account !== undefined) appendEvent(work, account, 'account.registered', { outcome }, request);
  }
}
