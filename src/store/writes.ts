import { Prisma } from '../../generated/prisma/client.js';
import type { SqlPart } from './transaction.js';

/** What one statement is to write, in parts that have no order among themselves, and whom its commit is to notify. */
export interface Writes {
  /** Each a name and the statement behind it: `name AS (UPDATE …)`. */
  parts: SqlPart[];
  notices: { channel: string; payload: string }[];
}

export const toStatement = ({ parts, notices }: Writes): SqlPart => Prisma.sql`
    WITH ${Prisma.join(parts)}
    SELECT pg_notify(n.channel, n.payload)
    FROM unnest(${notices.map(({ channel }) => channel)}::text[], ${notices.map(({ payload }) => payload)}::text[]) AS n(channel, payload)`;
