import { z } from 'zod';
import { EVENT_TYPES } from './events.js';
import { actionType, id, instant, optional, pageLimit, serviceName } from './fields.js';

const left = z.int().nullable().describe('null: the policy sets no limit');

/** How often an action was still possible afterwards, by each limit that counts. */
export const limitsLeft = z.partialRecord(
  actionType,
  z.strictObject({
    daily: left,
    hourly: left,
    per_channel_daily: left.optional().describe('In the target channel'),
    per_channel_total: left.optional().describe('In the target channel, ever'),
  }),
);
export type LimitsLeft = z.output<typeof limitsLeft>;

/** Entries of the history beside the events: counted actions, by when they were told, and reports of errors. */
const ENTRY_TYPES = ['action.acquired', 'action.recorded', 'action.reported', 'error.reported'] as const;
export const historyType = z.enum([...EVENT_TYPES, ...ENTRY_TYPES]);
export type HistoryType = z.output<typeof historyType>;

export const historyRequest = z.strictObject({
  account_id: id,
  type: optional(historyType).describe('Lists only entries of this type'),
  limit: pageLimit(500, 100).describe('How many entries to list at most; more than 500 counts as 500'),
  cursor: optional(
    z.string().regex(/^\d{1,15}\.\d{1,14}\.[0-2]\.\d{1,15}$/, 'must be a next_cursor of this query'),
  ).describe('next_cursor of the page before'),
});

const historyEntry = z.strictObject({
  type: historyType.describe(
    'An event; or an action that was counted, acquired before it, recorded after it or reported at the release; or an error that was reported',
  ),
  sequence: z.int().describe("Number of the account's event; of an action or error that of the event before it"),
  occurred_at: instant,
  service_name: serviceName.nullable().describe('The service that did it, as it named itself'),
  caller: z
    .string()
    .nullable()
    .describe(
      'The caller that asked for it, as the broker or the HTTP door has checked; null: unchecked, or nobody: it ended by itself',
    ),
  reason: z.string().nullable().describe('Why, where an operator said so'),
  request_id: z.string().nullable().describe('The request that did it; null: none, it ended by itself'),
  lease_id: id.nullable(),
  limits_left: limitsLeft.nullable().describe('The room that the limits had left afterwards, where that was judged'),
  details: z
    .record(z.string(), z.unknown())
    .describe('Further facts, by the type; session data and phone numbers are never among them'),
});
export type HistoryEntry = z.output<typeof historyEntry>;

export const historyReply = z.strictObject({
  account_id: id,
  entries: z.array(historyEntry).describe('The newest first; with a type a page may hold fewer than limit'),
  next_cursor: z.string().nullable().describe('Asks for what came before; null: there is nothing'),
});
