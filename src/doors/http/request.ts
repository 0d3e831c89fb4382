import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ENVELOPE, isJsonType, PLAIN_ENCODING, TRACEPARENT } from '../../../contracts/envelope.js';
import type { FailureReply } from '../../../contracts/failures.js';
import { refuse, refuseInvalid } from '../../requests/refuse.js';
import type { IncomingRequest } from '../../requests/request.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { decodeBody, findIssues, type Issue } from '../decode-message.js';
import { DEADLINE_RULE, readDeadline } from '../read-deadline.js';
import { readMessageId } from '../read-message-id.js';
import type { Query, ReadQuery } from './query.js';

/** What is known of an HTTP request. */
export interface HttpParts {
  /** The identity its token has shown. */
  caller: string | null;
  headers: IncomingHttpHeaders;
  /** Path parameters, by name. */
  params: Record<string, string>;
  query: Query;
  /** The body's bytes; null where there is none. */
  body: Uint8Array | null;
}

type Read<T> = { ok: true; value: T } | { ok: false; refusal: FailureReply };

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** A header's text; Node joins repeated ones with commas. */
const header = (headers: IncomingHttpHeaders, name: string): string | null => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
};

/** What the request is called in logs and events: `x-request-id`, else `Idempotency-Key`, else a fresh UUID. */
export const readRequestId = (headers: IncomingHttpHeaders): string => {
  const given = [header(headers, 'x-request-id'), header(headers, 'idempotency-key')];
  const usable = given.find((text) => text !== null && REQUEST_ID.test(text)) ?? null;
  return usable === null ? randomUUID() : hideSecrets(usable);
};

/** The caller's trace context; null where there is none or it has not the form W3C gives it. */
export const readTraceparent = (headers: IncomingHttpHeaders): string | null => {
  const given = header(headers, 'traceparent');
  return given !== null && TRACEPARENT.test(given) ? given : null;
};

/**
 * Makes of an HTTP request what every door hands over. A GET has its fields in the query string, a POST in its body
 * (none: no fields); path parameters come on top. Refuses `MALFORMED_MESSAGE` and `VALIDATION_FAILED`; the fields
 * themselves are validated behind the door.
 */
export const readHttpRequest = (
  operation: { name: string; method: 'GET' | 'POST'; readQuery: ReadQuery },
  requestId: string,
  parts: HttpParts,
): Read<IncomingRequest> => {
  const envelope = readEnvelope(parts.headers);
  if (!envelope.ok) return envelope;
  const fields =
    operation.method === 'GET' ? readFromQuery(operation.readQuery, parts) : readFromBody(parts, operation.name);
  if (!fields.ok) return fields;
  const body = joinPath(fields.value, parts.params);
  if (!body.ok) return body;
  const traceparent = readTraceparent(parts.headers);
  return {
    ok: true,
    value: {
      operation: operation.name,
      requestId,
      caller: parts.caller,
      body: body.value,
      traceparent,
      ...envelope.value,
    },
  };
};

/** A message id is made up where the caller sent none: callers of the predecessor do not. */
const readEnvelope = (
  headers: IncomingHttpHeaders,
): Read<Pick<IncomingRequest, 'messageId' | 'deadlineAt' | 'expiresAt'>> => {
  const messageId = readMessageId(header(headers, 'idempotency-key') ?? randomUUID());
  const deadlineAt = readDeadline(header(headers, ENVELOPE.deadlineHeader));
  const issues: Issue[] = [];
  if (messageId === null) issues.push({ path: 'Idempotency-Key', message: 'must be a UUID' });
  if (deadlineAt === undefined) issues.push({ path: ENVELOPE.deadlineHeader, message: DEADLINE_RULE });
  if (messageId === null || deadlineAt === undefined) return { ok: false, refusal: refuseInvalid(issues) };
  return { ok: true, value: { messageId, deadlineAt, expiresAt: null } };
};

const readFromQuery = (readQuery: ReadQuery, { query }: HttpParts): Read<Record<string, unknown>> => {
  const fields = readQuery(query);
  const issues = findIssues(fields);
  return issues.length > 0 ? { ok: false, refusal: refuseInvalid(issues) } : { ok: true, value: fields };
};

const readFromBody = ({ headers, query, body }: HttpParts, operation: string): Read<Record<string, unknown>> => {
  const malformed = (message: string) => ({ ok: false as const, refusal: refuse('MALFORMED_MESSAGE', { message }) });
  // Ignoring them would leave the caller believing they had been heard.
  const misplaced = Object.keys(query).map((path) => ({
    path,
    message: 'belongs into the body, not the query string',
  }));
  if (misplaced.length > 0) return { ok: false, refusal: refuseInvalid(misplaced) };
  if (body === null || body.length === 0) return { ok: true, value: {} };
  const contentType = header(headers, 'content-type');
  if (contentType !== null && !isJsonType(contentType)) {
    return malformed(`content-type: must be ${ENVELOPE.contentType} in UTF-8`);
  }
  if (!PLAIN_ENCODING.test(header(headers, 'content-encoding') ?? '')) {
    return malformed('content-encoding: must not be used');
  }
  const decoded = decodeBody(body, operation);
  return decoded.ok ? { ok: true, value: decoded.body } : decoded;
};

/** The path says which account it is; a body may say the same, but nothing else. */
const joinPath = (fields: Record<string, unknown>, params: Record<string, string>): Read<Record<string, unknown>> => {
  const differing = Object.entries(params)
    .filter(([name, value]) => {
      const given = Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
      return given !== null && (typeof given !== 'string' || given.toLowerCase() !== value.toLowerCase());
    })
    .map(([path]) => ({ path, message: 'differs from the one in the path' }));
  const issues = [...differing, ...findIssues(params)];
  return issues.length > 0
    ? { ok: false, refusal: refuseInvalid(issues) }
    : { ok: true, value: { ...fields, ...params } };
};
