/** One account as its source has it, or why it cannot be read. */
export interface SourceRow {
  /** Where it stands, for a person: `fleet.csv:12`, `79991234567.session`. */
  place: string;
  /** By the names of the source's columns; text, numbers, booleans, null, or what JSON holds. */
  fields: Readonly<Record<string, unknown>>;
  /** Why the row cannot be read; then its fields say nothing. Never quotes the row. */
  fault?: string;
}

export type Rows = AsyncIterable<SourceRow>;
/** Rows that are in memory already. */
export type RowsAtHand = Iterable<SourceRow>;
