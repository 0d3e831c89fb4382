import { z } from 'zod';
import { optional, pageLimit } from './fields.js';

/** Up to here a list counts exactly what matches. */
export const MAX_COUNTED = 10_000;

/** How many entries a page of a list holds. */
export const listLimit = pageLimit(500, 100).describe('How many entries to list at most; more than 500 counts as 500');

/** Where a page of a list begins. `form`: how the list writes its cursors. */
export const cursorOf = (form: RegExp) =>
  optional(z.string().regex(form, 'must be a next_cursor of this query')).describe('next_cursor of the page before');

/** A cursor that names an instant and an id. */
export const PLACE_CURSOR = /^\d{1,15}\.[0-9a-f]{32}$/;

/** Every list answers these beside its entries. */
export const listReply = {
  total: z.int().describe('All entries that match, on whatever page'),
  total_is_at_least: z
    .boolean()
    .describe(`true: there are more than total, which counts to ${MAX_COUNTED.toLocaleString('en')}`),
  next_cursor: z.string().nullable().describe('Asks for the next page; null: this is the last'),
};
