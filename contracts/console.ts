import { z } from 'zod';
import { OPERATION_NAMES } from './operations.js';

/** The console, the operator's page at `/console`, asks its door for these beside the operations. */

/** Carries the token of a caller that has logged in at the console. */
export const CONSOLE_COOKIE = 'account_manager_console';

/** Header by which a page asks for phone numbers: `masked` but for their end, or `shown`, which the log tells. */
export const PHONES_HEADER = 'x-phones';

export const loginRequest = z.strictObject({
  token: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^\S+$/, 'must be one word')
    .describe('A bearer token of a caller that the access file lists'),
});

export const sessionReply = z.strictObject({
  session: z
    .strictObject({
      caller: z.string().nullable().describe('The caller that has logged in; null: callers are not told apart'),
      operations: z
        .partialRecord(z.enum(OPERATION_NAMES), z.strictObject({ method: z.enum(['GET', 'POST']), path: z.string() }))
        .describe('The operations that the caller may ask for over HTTP, and where each is served'),
    })
    .nullable()
    .describe('null: nobody has logged in'),
});
export type SessionReply = z.output<typeof sessionReply>;
export type ConsoleSession = NonNullable<SessionReply['session']>;
