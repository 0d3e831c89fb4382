import { type Context, type Span, type SpanContext, type SpanOptions, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FailureCode } from '../../contracts/failures.js';
import { refuse } from '../../src/requests/refuse.js';
import type * as Tracing from '../../src/telemetry/tracing.js';
import { importAnew } from '../support/import-anew.js';

// A tracer that has met an SDK keeps it.
const { inBatchSpan, inRequestSpan, traceIdOf } = await importAnew<typeof Tracing>(
  new URL('../../src/telemetry/tracing.ts', import.meta.url),
);

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = `00-${TRACE}-b7ad6b7169203331-01`;

/** Spans that an SDK would export. */
interface Recorded {
  name: string;
  options: SpanOptions;
  parent: SpanContext | undefined;
  context: SpanContext;
  attributes: Record<string, unknown>;
  status: unknown;
  ended: boolean;
}
const spans: Recorded[] = [];

/** Stands where an operator's SDK would. */
const startSpan = (name: string, options: SpanOptions = {}, parentContext?: Context): Span => {
  const parent = parentContext && trace.getSpanContext(parentContext);
  const context = {
    traceId: parent?.traceId ?? 'f'.repeat(32),
    spanId: `${spans.length + 1}`.padStart(16, '0'),
    traceFlags: 1,
  };
  const recorded: Recorded = {
    name,
    options,
    parent,
    context,
    attributes: { ...options.attributes },
    status: null,
    ended: false,
  };
  spans.push(recorded);
  return {
    spanContext: () => context,
    setAttribute: (key: string, value: unknown) => void (recorded.attributes[key] = value),
    setStatus: (status: unknown) => void (recorded.status = status),
    end: () => void (recorded.ended = true),
  } as unknown as Span;
};

const succeed = () => Promise.resolve({ success: true as const });

// First: the SDK comes below.
test('without an SDK the trace of the caller is handed on as it came', async () => {
  const handedOn = async (given: string | null) => {
    let got: string | null = 'not called';
    await inRequestSpan({ operation: 'account.renew', traceparent: given }, (traceparent) => {
      got = traceparent;
      return succeed();
    });
    return got;
  };
  expect(await handedOn(CALLER)).toBe(CALLER);
  expect(await handedOn(null)).toBeNull();
  expect(await handedOn('odd')).toBeNull();
  expect([traceIdOf(CALLER), traceIdOf(null)]).toEqual([TRACE, null]);
});

describe('with an SDK', () => {
  beforeAll(() => {
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: () => undefined as never }) });
  });
  beforeEach(() => {
    spans.length = 0;
  });
  afterAll(() => trace.disable());

  test('a request continues the trace of its caller, and hands its own place in it on', async () => {
    let handedOn: string | null = null;
    await inRequestSpan({ operation: 'account.renew', traceparent: CALLER }, (traceparent) => {
      handedOn = traceparent;
      return succeed();
    });
    expect(spans).toMatchObject([
      {
        name: 'account.renew',
        parent: { traceId: TRACE, spanId: 'b7ad6b7169203331', traceFlags: 1, isRemote: true },
        attributes: { 'account_manager.operation': 'account.renew', 'account_manager.outcome': 'success' },
        status: null,
        ended: true,
      },
    ]);
    expect(handedOn).toBe(`00-${TRACE}-0000000000000001-01`);
  });

  test.each<[FailureCode, boolean]>([
    ['ALL_BUSY', false],
    ['VALIDATION_FAILED', false],
    ['UNAVAILABLE', true],
    ['INTERNAL', true],
  ])('%s is an error of the span: %s', async (code, isError) => {
    const refusal = refuse(code, { message: 'says +4915199887766' });
    await inRequestSpan({ operation: 'account.allocate', traceparent: null }, () => Promise.resolve(refusal));
    expect(spans[0]?.attributes['account_manager.outcome']).toBe(code);
    expect(spans[0]?.status !== null).toBe(isError);
    expect(JSON.stringify(spans)).not.toContain('4915199887766');
  });

  test('a batch is linked with the traces of its requests', async () => {
    await inBatchSpan('account.renew', [CALLER, null, 'odd'], succeed);
    expect(spans).toMatchObject([
      { name: 'batch account.renew', attributes: { 'messaging.batch.message_count': 3 }, ended: true },
    ]);
    expect(spans[0]?.options.links).toEqual([{ context: expect.objectContaining({ traceId: TRACE }) }]);
  });

  test('a span ends with what failed in it, whose words it does not repeat', async () => {
    const fail = () => Promise.reject(new TypeError('of +4915199887766'));
    await expect(inBatchSpan('account.renew', [], fail)).rejects.toThrow('of +49');
    await expect(inRequestSpan({ operation: 'account.renew', traceparent: null }, fail)).rejects.toThrow('of +49');
    expect(spans.map(({ ended }) => ended)).toEqual([true, true]);
    expect(JSON.stringify(spans)).not.toContain('4915199887766');
  });
});
