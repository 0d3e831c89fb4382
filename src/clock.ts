/** The only reader of this machine's clock; instants are epoch milliseconds. Rules use the database's clock instead. */
export const clock = {
  now: (): number => Date.now(),
  /** Milliseconds that only ever rise; for measuring lengths. */
  monotonicMs: (): number => performance.now(),
};

/** Texts of the last instants: a batch writes the same few many times. */
const texts = new Map<number, string>();
const MOST_TEXTS = 64;

/** An instant as the contract writes it: ISO 8601, UTC, milliseconds. */
export function toIso(at: number): string {
  let text = texts.get(at);
  if (text === undefined) {
    text = new Date(at).toISOString();
    if (texts.size === MOST_TEXTS) texts.clear();
    texts.set(at, text);
  }
  return text;
}

/** As `toIso`, where there is an instant. */
export const isoOrNull = (at: number | null): string | null => (at === null ? null : toIso(at));

/** The instant an ISO 8601 text names. */
export const fromIso = (text: string): number => Date.parse(text);
