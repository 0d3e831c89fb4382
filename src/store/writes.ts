import { Prisma } from '../../generated/prisma/client.js';
import { FREED_CHANNEL } from './notices.js';
import type { SqlPart } from './transaction.js';

/** Writes of one statement, in parts that have no order among themselves, and the notices of its commit. */
export interface Writes {
  /** Each a name and the statement behind it: `name AS (UPDATE …)`. */
  parts: SqlPart[];
  /** On the channel of accounts that may have become free. */
  notices: string[];
}

/** Gathers what a batch leaves to be written with its answers. */
export function gatherWrites(): { pending: Writes; writeWithAnswers: (writes: Writes) => void } {
  const pending: Writes = { parts: [], notices: [] };
  return {
    pending,
    writeWithAnswers: ({ parts, notices }) => {
      pending.parts.push(...parts);
      pending.notices.push(...notices);
    },
  };
}

/** Most commits notify nobody: PostgreSQL lets one transaction at a time commit that does, and wakes every listener. */
export const toStatement = ({ parts, notices }: Writes): SqlPart =>
  notices.length === 0
    ? Prisma.sql`WITH ${Prisma.join(parts)} SELECT`
    : Prisma.sql`
    WITH ${Prisma.join(parts)}
    SELECT pg_notify(${FREED_CHANNEL}, notice) FROM unnest(${notices}::text[]) AS given(notice)`;
