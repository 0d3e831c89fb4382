import { expect, test } from '@jest/globals';

test('an SDK that registers by an API of its own, the oldest in use, gets the spans', async () => {
  // An operator's SDK stands beside the service and brings its API with it; one that is newer than that is deaf to it.
  const spans: string[] = [];
  const tracer = {
    startSpan: (name: string) => {
      spans.push(name);
      return { spanContext: () => ({}), setAttribute: () => undefined, end: () => undefined };
    },
  };
  Object.assign(globalThis, {
    [Symbol.for('opentelemetry.js.api.1')]: { version: '1.9.0', trace: { getTracer: () => tracer } },
  });
  const { inRequestSpan } = await import('../../src/telemetry/tracing.js');
  await inRequestSpan({ operation: 'query.status', traceparent: null }, () => Promise.resolve({ success: true }));
  expect(spans).toEqual(['query.status']);
});
