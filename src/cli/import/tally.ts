import type { Context } from '../context.js';
import { printEntries } from '../output.js';
import { tellNumber } from '../terminal/words.js';

/** The outcome of one row. */
export interface RowOutcome {
  place: string;
  outcome: 'created' | 'updated' | 'unchanged' | 'rejected';
  account_id: string | null;
  /** The field at fault. */
  field: string | null;
  reason: string | null;
  /** Decisions where the source leaves something open. A dry run adds what would change. */
  notes: string[];
}

/** Counts the rows of an import, and tells their outcomes at its end. */
export interface RowTally {
  add: (outcome: RowOutcome) => void;
  rejected: () => number;
  tell: (isDry: boolean) => void;
}

export function createRowTally({ format, progress, say, paint, ...context }: Context): RowTally {
  const counts = { created: 0, updated: 0, unchanged: 0, rejected: 0 };
  const told: RowOutcome[] = [];
  let done = 0;
  return {
    add: (outcome) => {
      counts[outcome.outcome] += 1;
      done += 1;
      if (done % 100 === 0) progress(`${tellNumber(done)} rows`);
      // A person reads of those that need one; a program gets all.
      const needsOne = outcome.outcome === 'rejected' || outcome.notes.length > 0;
      if (format !== 'table' || needsOne) told.push(outcome);
    },
    rejected: () => counts.rejected,
    tell: (isDry) => {
      progress(null);
      printEntries({ ...context, format, progress, say, paint }, told, [
        ['WHERE', ({ place }) => place],
        ['OUTCOME', ({ outcome }) => outcome],
        ['ACCOUNT', ({ account_id: id }) => id ?? ''],
        ['BECAUSE', ({ reason, notes }) => [...(reason === null ? [] : [reason]), ...notes].join('; ')],
      ]);
      const { created, updated, unchanged, rejected } = counts;
      const would = isDry ? 'Would be ' : '';
      say(
        `${would}${tellNumber(created)} created, ${tellNumber(updated)} updated, ${
          isDry ? `${tellNumber(unchanged)} as they are, ` : ''
        }${tellNumber(rejected)} rejected.`,
      );
    },
  };
}
