import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { FAILURES, type Failure } from '../../contracts/failures.js';

// Without an SDK, which an operator registers before the service starts, all of this does nothing but hand a caller's
// trace on. Attributes are names and codes of the contract and counts: never what a caller has written.

const tracer = trace.getTracer('account-manager');

/** Version, trace, parent, flags: https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Null where there is none or none that can be continued. */
function readTraceparent(traceparent: string | null): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const read = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(read) ? read : null;
}

function writeTraceparent(span: Span): string | null {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!isSpanContextValid(span.spanContext())) return null;
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** The trace's id, for log lines; null where there is no trace. */
export const traceIdOf = (traceparent: string | null): string | null => readTraceparent(traceparent)?.traceId ?? null;

/**
 * Answers a request in a span that continues its caller's trace.
 * @param answer gets the trace context for whatever follows from the request, such as its events
 */
export async function inRequestSpan<T extends { success: boolean; error?: Failure | undefined }>(
  { operation, traceparent }: { operation: string; traceparent: string | null },
  answer: (traceparent: string | null) => Promise<T>,
): Promise<T> {
  const caller = readTraceparent(traceparent);
  const parent = caller === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, caller);
  const options = { kind: SpanKind.SERVER, attributes: { 'account_manager.operation': operation } };
  const span = tracer.startSpan(operation, options, parent);
  try {
    const reply = await context.with(trace.setSpan(parent, span), () => answer(writeTraceparent(span)));
    span.setAttribute('account_manager.outcome', reply.error?.code ?? 'success');
    // A refusal is an answer; what answers 5xx has failed.
    if (reply.error !== undefined && FAILURES[reply.error.code].http >= 500) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reply.error.code });
    }
    return reply;
  } finally {
    span.end();
  }
}

/** Runs a batch in a span of its own, linked with those of its requests: it belongs to many traces at once. */
export async function inBatchSpan<T>(
  operation: string,
  traceparents: readonly (string | null)[],
  run: () => Promise<T>,
): Promise<T> {
  const links = traceparents.flatMap((traceparent) => {
    const request = readTraceparent(traceparent);
    return request === null ? [] : { context: request };
  });
  const attributes = {
    'account_manager.operation': operation,
    'messaging.batch.message_count': traceparents.length,
  };
  const span = tracer.startSpan(`batch ${operation}`, { attributes, links }, ROOT_CONTEXT);
  try {
    return await context.with(trace.setSpan(ROOT_CONTEXT, span), run);
  } catch (error) {
    // Its text may hold what a caller has written.
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'unknown' });
    throw error;
  } finally {
    span.end();
  }
}
