import { toIso } from '../../clock.js';
import { Prisma } from '../../../generated/prisma/client.js';
import { lockParts, type LocksWanted } from '../accounts/locks.js';
import type { Sql, SqlPart } from '../database.js';

/** Names a request: the caller's identity ('' without one) and its `message_id`. */
export interface RequestKey {
  caller: string;
  messageId: string;
}

export interface AnsweredRequest extends RequestKey {
  operation: string;
  /** Tells whether a repeat asks for the same thing. */
  bodyHash: string;
  /** Without session data and phone numbers. */
  reply: Record<string, unknown>;
}

interface AnsweredRow extends Record<'caller' | 'operation' | 'body_hash', string> {
  now: Date;
  /** Null in the one row that carries the clock alone. */
  message_id: string | null;
  reply: Record<string, unknown>;
}

export const requestKey = ({ caller, messageId }: RequestKey): string => `${messageId} ${caller}`;

/**
 * Takes locks, and answers with the database's clock, read once they were had, and those of the requests that were
 * answered before, by `requestKey`. Other tables are read as they were when the statement began, so it is left to the
 * next one; that a request was answered while it waited shows when its answer is stored.
 */
export async function loadAnsweredRequests(
  sql: Sql,
  keys: readonly RequestKey[],
  locks?: LocksWanted,
): Promise<{ now: number; answered: Map<string, AnsweredRequest> }> {
  // A condition without columns is judged before anything is read: users are locked before accounts.
  const [parts, taken] =
    locks === undefined
      ? [Prisma.empty, Prisma.sql`SELECT`]
      : [
          Prisma.sql`WITH ${lockParts(locks)}`,
          Prisma.sql`SELECT count(*) FROM locked WHERE (SELECT count(*) FROM users_locked) >= 0`,
        ];
  const rows = await sql.$queryRaw<AnsweredRow[]>`
    ${parts}
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now,
      a.caller, a.message_id::text, a.operation, a.body_hash, a.reply
    FROM (${taken}) AS clock
    LEFT JOIN (unnest(${keys.map((key) => key.caller)}::text[], ${keys.map((key) => key.messageId)}::uuid[]) AS k(caller, message_id)
      JOIN answered_requests a USING (caller, message_id)) ON true`;
  const answered = new Map<string, AnsweredRequest>();
  for (const row of rows) {
    if (row.message_id === null) continue;
    const key = { caller: row.caller, messageId: row.message_id };
    answered.set(requestKey(key), { ...key, operation: row.operation, bodyHash: row.body_hash, reply: row.reply });
  }
  return { now: rows[0]?.now.getTime() ?? 0, answered };
}

/**
 * Stores answers in the transaction of their effects, in one order everywhere. A repeat that another instance has
 * answered meanwhile makes this fail as a conflict: nothing of the batch stands, and its next try finds the answer.
 */
export function insertAnsweredRequests(answers: readonly AnsweredRequest[], now: number): SqlPart {
  const rows = answers.map((answer) => ({
    caller: answer.caller,
    message_id: answer.messageId,
    operation: answer.operation,
    body_hash: answer.bodyHash,
    reply: answer.reply,
  }));
  return Prisma.sql`
    answered AS (INSERT INTO answered_requests (caller, message_id, operation, body_hash, reply, answered_at)
    SELECT c.caller, c.message_id, c.operation, c.body_hash, c.reply, ${toIso(now)}::timestamptz
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS c(caller text, message_id uuid, operation text, body_hash text, reply jsonb)
    ORDER BY c.message_id, c.caller)`;
}
