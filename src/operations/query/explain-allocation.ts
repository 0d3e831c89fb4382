import type { FailureCode } from '../../../contracts/failures.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { fromIso, isoOrNull, toIso } from '../../clock.js';
import { type AllocationAnswer, explainAnswer } from '../../decide/selection/explain-answer.js';
import type { AnsweredAllocation, AskedAllocation } from '../../store/history/answered-allocations.js';

type Explained = NonNullable<ReplyBody<'query.explain'>['request']>;

/** Tells how an allocation was answered, and why. */
export function explainAllocation(found: AnsweredAllocation, asked: AskedAllocation): Explained {
  const { reply, answeredAt } = found;
  const { details } = reply.error ?? {};
  const hopeAt = hopeOf(found);
  return {
    request_id: asked.request_id,
    message_id: found.messageId,
    caller: found.caller === '' ? null : found.caller,
    answered_at: toIso(answeredAt),
    user_id: asked.user_id,
    purpose: asked.purpose,
    service_name: asked.service_name,
    target_channel: asked.target_channel,
    code: reply.error?.code ?? null,
    account_id: reply.allocation?.account_id ?? null,
    lease_id: reply.allocation?.lease_id ?? null,
    counts: details?.counts ?? null,
    next_available_at: isoOrNull(hopeAt),
    summary: explainAnswer(answerOf(found, asked, hopeAt), answeredAt),
  };
}

function hopeOf({ reply: { error }, answeredAt }: AnsweredAllocation): number | null {
  const at = error?.details?.next_available_at;
  if (at !== undefined && at !== null) return fromIso(at);
  return error?.retry_after_ms === undefined ? null : answeredAt + error.retry_after_ms;
}

function answerOf(
  { reply }: AnsweredAllocation,
  { purpose }: AskedAllocation,
  hopeAt: number | null,
): AllocationAnswer {
  const { allocation, error } = reply;
  if (allocation !== undefined) {
    const { reason, candidates } = allocation.selection;
    return {
      purpose,
      code: null,
      expiresAt: fromIso(allocation.expires_at),
      candidates,
      preferred: reason === 'preferred',
    };
  }
  return {
    purpose,
    code: error?.code ?? ('INTERNAL' satisfies FailureCode),
    counts: error?.details?.counts ?? {},
    hopeAt,
    preferredReason: error?.details?.reason ?? null,
    message: error?.message ?? '',
  };
}
