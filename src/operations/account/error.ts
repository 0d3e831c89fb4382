import type { ReplyBody } from '../../../contracts/operations.js';
import type { ErrorClass } from '../../../contracts/fields.js';
import { toIso } from '../../clock.js';
import { classifyError } from '../../decide/telegram-errors/classify-error.js';
import type { ErrorReport } from '../../decide/telegram-errors/types.js';
import { judgeReport } from '../../decide/selection/judge-ownership.js';
import { applyError } from '../../decide/condition/transition-account.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { claimOf } from '../../requests/claim.js';
import type { AcceptedRequest, AccountRule, BatchContext, Outcome } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';
import { changeCondition, keepErrorReport, type Origin, type UnitOfWork } from '../../accounts/unit-of-work.js';

type Request = AcceptedRequest<'account.error'>;

/** A reported type may be a whole traceback; its beginning is enough to know it by. */
const MAX_ECHO = 200;

/** `account.error`: what a Telegram error means for the account; it takes effect at once. */
export const reportError: AccountRule<'account.error'> = {
  needs: () => ({ withLastLease: true }),
  decide: reportOne,
};

function reportOne(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  request: Request,
): Outcome<'account.error'> {
  const { body } = request;
  const last = work.lastLeases.get(account.accountId) ?? null;
  const refusal = judgeReport(account.lease, last, claimOf(request));
  if (refusal !== null) return { reply: refuse(refusal) };
  const leaseId = account.lease?.leaseId ?? body.lease_id ?? null;
  const result = takeError(
    context,
    work,
    account,
    {
      errorType: body.error_type,
      errorMessage: body.error_message,
      errorCode: body.error_code,
      seconds: body.seconds,
      serviceName: body.service_name ?? null,
      leaseId,
    },
    request,
  );
  context.afterCommit(() => context.metrics.errors.inc({ class: result.classified_as }));
  return {
    reply: { success: true, result },
    log: {
      user_id: account.userId,
      lease_id: leaseId ?? undefined,
      classified_as: result.classified_as,
      decided_by: result.evidence.decided_by,
      found: result.evidence.found,
      action_taken: result.action_taken,
      status: result.new_status,
    },
  };
}

/** Classifies an error and applies it to the account; the announcement names the class and never the text. */
export function takeError(
  { errorWindowMs }: Pick<BatchContext, 'errorWindowMs'>,
  work: UnitOfWork,
  account: AccountRecord,
  report: ErrorReport & { serviceName: string | null; leaseId: string | null },
  origin: Origin,
): ReplyBody<'account.error'>['result'] {
  const classified = classifyError({ ...report, reportedAt: work.now });
  const applied = applyError(account.condition, classified, work.now, errorWindowMs);
  const { serviceName, leaseId } = report;
  keepErrorReport(
    work,
    account,
    {
      serviceName,
      leaseId,
      errorClass: classified.errorClass,
      telegramError: classified.name,
      waitSeconds: classified.seconds,
      actionTaken: applied.action,
      decidedBy: classified.decidedBy,
      found: classified.found,
    },
    origin,
  );
  changeCondition(
    work,
    account,
    applied.condition,
    { error_class: classified.errorClass, telegram_error: classified.name, wait_seconds: classified.seconds },
    origin,
  );
  return {
    account_id: account.accountId,
    error_type: hideSecrets((report.errorType ?? classified.name ?? classified.errorClass).slice(0, MAX_ECHO)),
    classified_as: classified.errorClass,
    action_taken: applied.action,
    new_status: applied.condition.status,
    recovery_time: applied.recoveryAt === null ? null : toIso(applied.recoveryAt),
    should_retry: applied.shouldRetry,
    message: explain(classified.errorClass, applied.action),
    evidence: { decided_by: classified.decidedBy, found: classified.found },
  };
}

function explain(errorClass: ErrorClass, action: ReplyBody<'account.error'>['result']['action_taken']): string {
  switch (action) {
    case 'wait_started':
      return `${errorClass}: the account waits as long as Telegram asked, and a little longer`;
    case 'blocked':
      return `${errorClass}: the account is blocked for its protection`;
    case 'disabled':
      return `${errorClass}: the account is disabled until an operator acts`;
    case 'error_counted':
      return `${errorClass}: counted; the account stays as it is`;
    case 'none':
      return `${errorClass}: says nothing against the account, or nothing new`;
    default:
      return action satisfies never;
  }
}
