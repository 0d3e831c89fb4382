import { randomUUID } from 'node:crypto';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import {
  findKnownAccounts,
  insertAccounts,
  type KnownAccount,
  type NewSession,
  replaceSessions,
} from '../../store/accounts/register-accounts.js';
import { type ParsedSession, parseSessionString, type SessionFault } from '../../telegram/parse-session-string.js';
import { finishWork } from '../../accounts/finish-work.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { appendEvent, beginWork, extendWork, type UnitOfWork } from '../../accounts/unit-of-work.js';

type Request = AcceptedRequest<'admin.register'>;
type GivenAccount = RequestBody<'admin.register'>['accounts'][number];
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

async function registerOne(context: BatchContext, request: Request): Promise<Outcome<'admin.register'>> {
  const given = request.body.accounts.map((account) => ({
    account: { ...account, phone: normalisePhone(account.phone) },
    session: parseSessionString(account.session_data),
  }));
  const known = await findKnownAccounts(
    context.sql,
    given.map(({ account }) => account.phone),
    given.flatMap(({ session }) => (session.ok ? session.keyFingerprint : [])),
  );
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

function planRegistration(
  { cipher }: BatchContext,
  given: readonly { account: GivenAccount; session: ParsedSession | SessionFault }[],
  known: readonly KnownAccount[],
): Plan {
  const byPhone = new Map(known.map((account) => [account.phone, account]));
  const byFingerprint = new Map(known.map((account) => [account.fingerprint, account]));
  const plan: Plan = { inserts: [], replacements: [], results: [] };
  const namedAt = new Map<string, number>();

  given.forEach(({ account, session }, index) => {
    const reject = (reason: string) => void plan.results.push({ index, outcome: 'rejected', reason });
    if (!session.ok) return reject(`session_data: ${session.message}`);
    if (UNSTORABLE.test(JSON.stringify(account.metadata ?? null)))
      return reject('metadata: must hold neither NUL nor half of a surrogate pair');
    const before = namedAt.get(account.phone);
    if (before !== undefined) return reject(`phone: stands at index ${before} of this request already`);
    const sameKey = byFingerprint.get(session.keyFingerprint);
    const samePhone = byPhone.get(account.phone);
    if (sameKey !== undefined && sameKey.phone !== account.phone)
      return reject('session_data: its key is registered already, for another account');
    if (samePhone !== undefined && samePhone.userId !== account.user_id)
      return reject('phone: registered already, for another user');

    const accountId = samePhone?.accountId ?? randomUUID();
    const metadata = account.metadata ?? null;
    const stored = {
      accountId,
      ...cipher.encrypt(account.session_data, accountId),
      fingerprint: session.keyFingerprint,
      metadata,
    };
    if (samePhone === undefined) plan.inserts.push({ ...stored, userId: account.user_id, phone: account.phone });
    else plan.replacements.push(stored);
    const entry = { accountId, userId: account.user_id, phone: account.phone, fingerprint: session.keyFingerprint };
    namedAt.set(account.phone, index);
    byPhone.set(account.phone, entry);
    byFingerprint.set(session.keyFingerprint, entry);
    plan.results.push({ index, account_id: accountId, outcome: samePhone === undefined ? 'created' : 'updated' });
  });
  return plan;
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
