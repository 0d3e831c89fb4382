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

/** The facts about an HTTP request. */
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

/** Name of the request in logs and events: `x-request-id`, else `Idempotency-Key`, else a fresh UUID. */
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
 * (none: no fields) and those of `inQuery` in either; path parameters come on top. Refuses `MALFORMED_MESSAGE` and `VALIDATION_FAILED`; the fields
 * themselves are validated behind the door.
 */
export const readHttpRequest = (
  operation: { name: string; method: 'GET' | 'POST'; readQuery: ReadQuery; inQuery: readonly string[] },
  requestId: string,
  parts: HttpParts,
): Read<IncomingRequest> => {
  const envelope = readEnvelope(parts.headers);
  if (!envelope.ok) return envelope;
  const fields =
    operation.method === 'GET' ? readFromQuery(operation.readQuery, parts.query) : readPost(operation, parts);
  if (!fields.ok) return fields;
  const body = joinOutside(fields.value, parts.params, 'path');
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

const readFromQuery = (readQuery: ReadQuery, query: Query): Read<Record<string, unknown>> => {
  const fields = readQuery(query);
  const issues = findIssues(fields);
  return issues.length > 0 ? { ok: false, refusal: refuseInvalid(issues) } : { ok: true, value: fields };
};

const readPost = (
  { name, readQuery, inQuery }: { name: string; readQuery: ReadQuery; inQuery: readonly string[] },
  parts: HttpParts,
): Read<Record<string, unknown>> => {
  // Ignoring them would leave the caller believing they had been heard.
  const misplaced = Object.keys(parts.query)
    .filter((field) => !inQuery.includes(field))
    .map((path) => ({ path, message: 'belongs into the body, not the query string' }));
  if (misplaced.length > 0) return { ok: false, refusal: refuseInvalid(misplaced) };
  const fields = readFromBody(parts, name);
  if (!fields.ok || Object.keys(parts.query).length === 0) return fields;
  const given = readFromQuery(readQuery, parts.query);
  return given.ok ? joinOutside(fields.value, given.value, 'query string') : given;
};

const readFromBody = ({ headers, body }: HttpParts, operation: string): Read<Record<string, unknown>> => {
  const malformed = (message: string) => ({ ok: false as const, refusal: refuse('MALFORMED_MESSAGE', { message }) });
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

/** The path and the query string decide; a body may say the same, but nothing else. */
const joinOutside = (
  fields: Record<string, unknown>,
  outside: Record<string, unknown>,
  where: 'path' | 'query string',
): Read<Record<string, unknown>> => {
  const differing = Object.entries(outside)
    .filter(([name, value]) => {
      const given = Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
      return given !== null && !isSame(given, value);
    })
    .map(([path]) => ({ path, message: `differs from the one in the ${where}` }));
  const issues = [...differing, ...findIssues(outside)];
  return issues.length > 0
    ? { ok: false, refusal: refuseInvalid(issues) }
    : { ok: true, value: { ...fields, ...outside } };
};

const isSame = (one: unknown, other: unknown): boolean =>
  typeof one === 'string' && typeof other === 'string' ? one.toLowerCase() === other.toLowerCase() : one === other;
