import { z } from 'zod';
import { id, optional, userId } from './fields.js';

export const registerRequest = z.strictObject({
  accounts: z
    .array(
      z.strictObject({
        user_id: userId,
        phone: z.string().regex(/^\+?[0-9]{5,20}$/, 'must be 5 to 20 digits, with or without a leading +'),
        session_data: z.string().max(4096).describe('A Telethon, GramJS or Pyrogram session string of a user account'),
        metadata: optional(z.record(z.string().max(100), z.unknown())).describe(
          'Kept with the account, such as its proxy',
        ),
      }),
    )
    .min(1)
    .max(1000),
});
export const registerReply = z.strictObject({
  accounts: z.array(
    z.strictObject({
      index: z.int().describe('Position in the request, from 0'),
      account_id: id.optional(),
      outcome: z.enum(['created', 'updated', 'rejected']),
      reason: z.string().optional(),
    }),
  ),
});
