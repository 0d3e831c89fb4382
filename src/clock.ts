/** The only reader of this machine's clock; instants are epoch milliseconds. Rules use the database's clock instead. */
export const clock = {
  now: (): number => Date.now(),
  /** Milliseconds that only ever rise; for measuring lengths. */
  monotonicMs: (): number => performance.now(),
};

/** An instant as the contract writes it: ISO 8601, UTC, milliseconds. */
export const toIso = (at: number): string => new Date(at).toISOString();

/** As `toIso`, where there is an instant. */
export const isoOrNull = (at: number | null): string | null => (at === null ? null : toIso(at));

/** The instant an ISO 8601 text names. */
export const fromIso = (text: string): number => Date.parse(text);
