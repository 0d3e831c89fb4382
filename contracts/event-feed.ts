import { z } from 'zod';
import { readPosition } from './event-position.js';
import { cloudEvent, EVENT_TYPES, eventType } from './events.js';
import { id, optional, userId } from './fields.js';
import { listLimit } from './lists.js';

/** A place in the stream of events. */
const position = z
  .string()
  .max(4096)
  .refine((given) => readPosition(given) !== null, 'must be a position of the stream of events');

/** Which events are wanted, and from where on. */
export const feedFields = {
  after: optional(position).describe('The position of the last event that was read; without it from the oldest on'),
  account_id: optional(id).describe('Only events of this account'),
  user_id: optional(userId).describe("Only events of this user's accounts"),
  types: optional(z.array(eventType).min(1).max(EVENT_TYPES.length)).describe(
    'Only events of these types; in a query string repeated, or separated by commas',
  ),
};

export const eventsRequest = z.strictObject({ ...feedFields, limit: listLimit });
export const streamRequest = z.strictObject(feedFields);

export const eventsReply = z.strictObject({
  events: z
    .array(
      z.strictObject({
        position: z.string().describe('Opaque; it can be kept and asked from later'),
        event: cloudEvent,
      }),
    )
    .describe(
      'The oldest first, those of one account by their sequence; a page may hold fewer than limit, and none where there are no more or where looking for the next took 3 s: ask on from next_after',
    ),
  next_after: z.string().describe('Asks for what comes after this page, now or later'),
});
