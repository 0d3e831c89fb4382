import type { z } from 'zod';
import type { FailureReply } from '../failures.js';
import type { OPERATIONS, OperationName, ReplyBody } from '../operations.js';

/**
 * How things stand before an example's request is sent. `nothing`: no account is needed; `free`: an account that
 * nobody has; `held`: the caller has leased it; `acquired`: and holds a permit for one action; `flood_wait`: it waits;
 * `needs_reauth`: it is disabled until it gets a fresh session; `report`: a report was generated.
 */
export type Given = 'nothing' | 'free' | 'held' | 'acquired' | 'flood_wait' | 'needs_reauth' | 'report';

/** A request of an operation and what it is answered, when things stand as given. */
export interface Example<K extends OperationName> {
  /** Title of the example, in a few words. */
  name: string;
  given: Given;
  request: z.input<(typeof OPERATIONS)[K]['request']>;
  reply: ({ success: true } & ReplyBody<K>) | FailureReply;
}

export type Examples<K extends OperationName> = {
  readonly [Name in K]: readonly [Example<Name>, ...Example<Name>[]];
};

/** The names that examples share; they are made up, but of the right form. */
export const EXAMPLE = {
  accountId: '3f1c2a9e-5b7d-4e8f-9a01-2b3c4d5e6f70',
  userId: 1001,
  leaseId: '8d2e4f60-7a1b-4c3d-8e5f-60718293a4b5',
  fence: 7,
  permitId: 'c4b5a697-8879-4a6b-9c5d-4e3f20110213',
  serviceName: 'invite-service',
  phone: '+15005550006',
  /** In the form that Telethon writes; its key is the bytes from 0 to 255 and opens nothing. */
  sessionData:
    '1ApWapzMBuwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJS' +
    'ktMTU5PUFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5_gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5y' +
    'dnp-goaKjpKWmp6ipqqusra6vsLGys7S1tre4ubq7vL2-v8DBwsPExcbHyMnKy8zNzs_Q0dLT1NXW19jZ2tvc3d7f4OHi4-Tl5ufo6err7O3u7' +
    '_Dx8vP09fb3-Pn6-_z9_v8=',
} as const;
