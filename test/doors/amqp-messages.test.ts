import { expect, test } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { RETRY_STEPS } from '../../contracts/topology.js';
import type { OutgoingMessage } from '../../src/broker/publish.js';
import { readEnvelope } from '../../src/doors/amqp/envelope.js';
import { buildParked, buildReply, buildRetry } from '../../src/doors/amqp/messages.js';
import { refuse } from '../../src/requests/refuse.js';

const NOW = Date.UTC(2026, 0, 2);

/** Properties of a message as amqplib may decode them. Texts grow where their bytes are not UTF-8. */
const shortText = fc.option(fc.string({ unit: 'binary', maxLength: 300 }), { nil: undefined });
const headerValue = fc.oneof(
  fc.string({ maxLength: 2_000 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue(),
);
const headerName = fc.oneof(
  fc.constantFrom('x-death', 'x-deadline', 'x-attempt', 'x-original-user-id', 'CC', 'BCC', 'traceparent', 'tracestate'),
  fc.string({ maxLength: 20 }),
);
const messages = fc
  .record({
    properties: fc.record({
      contentType: shortText,
      contentEncoding: shortText,
      headers: fc.option(fc.dictionary(headerName, headerValue), { nil: undefined }),
      deliveryMode: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
      priority: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
      correlationId: shortText,
      replyTo: fc.oneof(shortText, fc.constantFrom('amq.rabbitmq.reply-to', 'reply.x')),
      expiration: fc.option(fc.nat().map(String), { nil: undefined }),
      messageId: fc.oneof(shortText, fc.uuid()),
      timestamp: fc.option(fc.double({ min: 0, max: 2 ** 64, noNaN: true }), { nil: undefined }),
      type: shortText,
      userId: fc.oneof(shortText, fc.constant('service')),
      appId: shortText,
      clusterId: fc.constant(undefined),
    }),
    routingKey: fc.string({ maxLength: 255 }),
    body: fc.uint8Array({ maxLength: 50 }),
  })
  .map(({ properties, routingKey, body }) => {
    return { properties, fields: { routingKey }, content: Buffer.from(body) } as unknown as ConsumeMessage;
  });

const SHORT_PROPERTIES = [
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'messageId',
  'type',
  'appId',
] as const;

function expectToBeCarried({ options }: OutgoingMessage): void {
  for (const name of SHORT_PROPERTIES) expect(Buffer.byteLength(options[name] ?? '')).toBeLessThanOrEqual(255);
  expect(options.timestamp ?? 0).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  expect(options).toMatchObject({ persistent: true, mandatory: true });
}

test('whatever arrives, it is read, and what is sent on is this service’s own and can be carried', async () => {
  await fc.assert(
    fc.asyncProperty(messages, fc.constantFrom(...RETRY_STEPS), async (message, step) => {
      const { envelope } = readEnvelope(message, 'service', performance.now());
      const retry = buildRetry(message, envelope, step, 'service');
      const parked = await buildParked(message, envelope, refuse('INTERNAL').error, { ownUser: 'service', now: NOW });
      for (const sent of [retry, parked]) {
        expectToBeCarried(sent);
        const options = sent.options as Record<string, unknown>;
        for (const name of ['expiration', 'CC', 'BCC', 'priority']) expect(options[name]).toBeUndefined();
        const allowed =
          /^x-(deadline|attempt|retry|original-user-id|error-code|error-message|original-routing-key|parked-at|redacted)$|^trace(parent|state)$/;
        for (const name of Object.keys(options.headers as object)) expect(name).toMatch(allowed);
        expect(options.replyTo).not.toBe('amq.rabbitmq.reply-to');
      }
      expect(retry.options.userId).toBe('service');
      expect(parked.options.userId).toBe('service');
      expect(retry.content).toBe(message.content);
    }),
    { numRuns: 500 },
  );
});

test('a reply is addressed by the envelope alone', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const { envelope } = readEnvelope(message, 'service', performance.now());
      const { exchange, routingKey, options, content } = buildReply('reply.x', envelope, { success: true });
      expect([exchange, routingKey, content.toString()]).toEqual(['', 'reply.x', '{"success":true}']);
      expect([envelope.correlationId ?? undefined, undefined]).toContain(options.correlationId);
      for (const text of [options.correlationId, options.type])
        expect(Buffer.byteLength(text ?? '')).toBeLessThanOrEqual(255);
      expect(options.userId).toBeUndefined();
    }),
  );
});
