import { expect, test } from '@jest/globals';
import type * as Tracing from '../../src/telemetry/tracing.js';
import { importAnew } from '../support/import-anew.js';

const API = Symbol.for('opentelemetry.js.api.1');

test('an SDK that registers by an API of its own, the oldest in use, gets the spans', async () => {
  // An operator's SDK stands beside the service and brings its API with it; one that is newer than that is deaf to it.
  const spans: string[] = [];
  const tracer = {
    startSpan: (name: string) => {
      spans.push(name);
      return { spanContext: () => ({}), setAttribute: () => undefined, end: () => undefined };
    },
  };
  Object.assign(globalThis, { [API]: { version: '1.9.0', trace: { getTracer: () => tracer } } });
  try {
    const tracing = await importAnew<typeof Tracing>(new URL('../../src/telemetry/tracing.ts', import.meta.url));
    const answer = () => Promise.resolve({ success: true });
    await tracing.inRequestSpan({ operation: 'query.status', traceparent: null }, answer);
  } finally {
    Reflect.deleteProperty(globalThis, API);
  }
  expect(spans).toEqual(['query.status']);
});
