import { randomUUID } from 'node:crypto';
import type { OperationName } from '../../contracts/operations.js';
import type { IncomingRequest } from '../../src/requests/request.js';

/** A request as a door hands it over, with a fresh message id unless one is given. */
export function requestOf(
  operation: OperationName,
  body: Record<string, unknown>,
  envelope: Partial<IncomingRequest> = {},
): IncomingRequest {
  const messageId = envelope.messageId ?? randomUUID();
  const none = { caller: null, deadlineAt: null, expiresAt: null, traceparent: null };
  return { ...none, requestId: messageId, ...envelope, operation, messageId, body };
}
