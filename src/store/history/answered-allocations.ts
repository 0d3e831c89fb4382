import type { FailureCode } from '../../../contracts/failures.js';
import type { Purpose } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import type { Sql } from '../database.js';

/** Fields of an allocation request. They are stored with its answer and are no part of it. */
export interface AskedAllocation {
  request_id: string;
  user_id: number;
  purpose: Purpose;
  service_name: string;
  target_channel: string | null;
}

/** An allocation with its stored answer. */
export interface AnsweredAllocation {
  /** '' without an identity. */
  caller: string;
  messageId: string;
  answeredAt: number;
  reply: {
    allocation?: ReplyBody<'account.allocate'>['allocation'];
    error?: {
      code: FailureCode;
      message: string;
      retry_after_ms?: number;
      details?: { counts?: Record<string, number>; next_available_at?: string | null; reason?: string };
    };
    /** Absent in answers from before it was stored. */
    asked?: AskedAllocation;
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The last allocation of the last 24 hours with this request id, or with this `message_id`, whoever has asked. Callers
 * are few, so each is asked for the message by the primary key.
 */
export async function findAnsweredAllocation(sql: Sql, requestId: string): Promise<AnsweredAllocation | null> {
  const messageId = UUID.test(requestId) ? requestId : null;
  const [row] = await sql.$queryRaw<(Omit<AnsweredAllocation, 'answeredAt'> & { answered_at: Date })[]>`
    WITH RECURSIVE callers AS (
      (SELECT caller FROM answered_requests ORDER BY caller LIMIT 1)
      UNION ALL
      SELECT (SELECT a.caller FROM answered_requests a WHERE a.caller > c.caller ORDER BY a.caller LIMIT 1)
      FROM callers c WHERE c.caller IS NOT NULL),
    found AS (
      SELECT caller, message_id, reply, answered_at FROM answered_requests
      WHERE operation = 'account.allocate' AND reply -> 'asked' ->> 'request_id' = ${requestId}
      UNION ALL
      SELECT a.caller, a.message_id, a.reply, a.answered_at
      FROM callers c JOIN answered_requests a ON a.caller = c.caller AND a.message_id = ${messageId}::uuid
      WHERE a.operation = 'account.allocate')
    SELECT caller, message_id::text AS "messageId", reply, answered_at FROM found
    WHERE answered_at > statement_timestamp() - interval '24 hours' ORDER BY answered_at DESC LIMIT 1`;
  if (row === undefined) return null;
  const { answered_at: answeredAt, ...rest } = row;
  return { ...rest, answeredAt: answeredAt.getTime() };
}
