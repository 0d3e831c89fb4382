import { z } from 'zod';
import { id, instant } from './fields.js';

/** Every event type; the routing key on `account-manager.events` is the type. */
export const EVENT_TYPES = [
  'account.registered',
  'account.allocated',
  'account.renewed',
  'account.released',
  'account.lease_expired',
  'account.flood_wait',
  'account.blocked',
  'account.disabled',
  'account.draining',
  'account.recovered',
  'account.reauthorized',
  'limit.exceeded',
  'limits.reset',
  'report.generated',
  'alert.info',
  'alert.warning',
  'alert.critical',
] as const;
export const eventType = z.enum(EVENT_TYPES);
export type EventType = z.output<typeof eventType>;

export const EVENT_CONTENT_TYPE = 'application/cloudevents+json';
export const EVENT_SOURCE = 'account-manager';

/**
 * A CloudEvents 1.0 event in structured JSON. `sequence` rises by one per account; delivery is at least once, so a
 * subscriber drops an `id` it has seen. Session data and phone numbers never appear.
 */
export const cloudEvent = z.strictObject({
  specversion: z.literal('1.0'),
  id: id.describe('Also the AMQP message_id'),
  source: z.literal(EVENT_SOURCE),
  type: eventType,
  time: instant,
  subject: id.optional().describe('The account'),
  datacontenttype: z.literal('application/json'),
  traceparent: z.string().optional(),
  data: z.looseObject({
    account_id: id.optional(),
    user_id: z.int().min(0).optional(),
    sequence: z.int().min(1).optional().describe("Rises by one with each of the account's events"),
  }),
});
export type CloudEvent = z.output<typeof cloudEvent>;
