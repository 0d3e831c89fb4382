import { z } from 'zod';
import { reason } from './admin.js';
import { failure } from './failures.js';
import { id, instant, optional, pageLimit, withDefault } from './fields.js';

/** A parked message is run again without asking back for so long; its request is answered and forgotten after twice that. */
export const REPLAYED_WITHIN_HOURS = 12;

export const PARKED_ACTIONS = ['list', 'show', 'replay', 'discard'] as const;

export const parkedRequest = z
  .strictObject({
    action: z
      .enum(PARKED_ACTIONS)
      .describe(
        'list: page by page. show: with bodies. replay: runs each as the request that it was, of its caller and under its message_id, and removes what was answered. discard: removes them unserved',
      ),
    parked_ids: optional(z.array(id).min(1).max(20)).describe('Which; required but for list'),
    limit: pageLimit(100, 50).describe('A list shows so many at most; more than 100 counts as 100'),
    cursor: optional(z.string().regex(/^\d{1,15}\.[0-9a-f]{32}$/, 'must be a next_cursor of this operation')).describe(
      'A list goes on here: next_cursor of the page before',
    ),
    force: withDefault(z.boolean(), false).describe(
      `A replay also takes what was parked more than ${REPLAYED_WITHIN_HOURS} hours ago; whether it has been done since, nobody can tell any more`,
    ),
    reason: optional(reason),
  })
  .refine((body) => body.action === 'list' || body.parked_ids !== undefined, {
    path: ['parked_ids'],
    message: 'is required unless action is list',
  });
export type ParkedRequest = z.output<typeof parkedRequest>;

const parkedMessage = z.strictObject({
  parked_id: id.describe('The same for every copy of a message, however often it is parked'),
  copies: z.int().min(1),
  parked_at: instant.nullable(),
  operation: z.string().describe('Its routing key, which may name no operation'),
  code: failure.shape.code.nullable().describe('Why it was parked'),
  reason: z.string(),
  caller: z.string().nullable().describe('As the broker had checked it'),
  message_id: z.string().nullable(),
  correlation_id: z.string().nullable(),
  attempts: z.int().describe('How often it had been tried before'),
  bytes: z.int().describe('Size of its body'),
  obstacle: z.string().nullable().describe('Why it cannot be replayed; null: it can'),
  body: z.string().optional().describe('With show: as it was parked, without secrets; at most 64 KiB of it'),
});
export type ParkedMessage = z.output<typeof parkedMessage>;

const parkedResult = z.strictObject({
  parked_id: id,
  outcome: z
    .enum(['replayed', 'discarded', 'kept', 'not_found'])
    .describe('replayed: it was answered, see code, and its parked copy is gone. kept: it is still parked, see reason'),
  code: failure.shape.code.nullable().describe('The code that a replay was answered with; null: success, or not asked'),
  reason: z.string().nullable(),
});
export type ParkedResult = z.output<typeof parkedResult>;

export const parkedReply = z.strictObject({
  total: z.int().describe('Messages that are parked, copies counted; at most 5,000 are looked at'),
  messages: z.array(parkedMessage).describe('For list and show, the oldest first'),
  next_cursor: z.string().nullable().describe('A list goes on with it; null: this is the last page'),
  results: z.array(parkedResult).describe('For replay and discard, one for each id'),
});
export type ParkedReply = z.output<typeof parkedReply>;
