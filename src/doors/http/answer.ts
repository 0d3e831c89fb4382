import type { FastifyReply } from 'fastify';
import { ENVELOPE } from '../../../contracts/envelope.js';
import { FAILURES } from '../../../contracts/failures.js';
import type { Reply } from '../../requests/request.js';

/** Writes a reply of the contract; its status is that of the failure's code, unless another is given. */
export const answer = (to: FastifyReply, reply: Reply, status?: number): FastifyReply => {
  if (reply.success) return to.code(status ?? 200).send(reply);
  const { code, retry_after_ms: retryAfterMs } = reply.error;
  to.header(ENVELOPE.errorCodeHeader, code);
  if (code === 'UNAUTHENTICATED') to.header('www-authenticate', 'Bearer');
  if (retryAfterMs !== undefined) to.header('retry-after', Math.ceil(retryAfterMs / 1000));
  return to.code(status ?? FAILURES[code].http).send(reply);
};
