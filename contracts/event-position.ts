/**
 * A place in the stream of events. A reader has seen every event whose transaction shows in the snapshot `before`, and of
 * those that show in `within` the events with an id up to `id`. Transactions get their numbers, and events their ids,
 * before they commit: neither order alone tells what a reader has not seen yet, while two snapshots of the database do.
 */
export interface EventPosition {
  /** PostgreSQL's text of a `pg_snapshot`; null: before every event. */
  readonly before: string | null;
  readonly within: string;
  readonly id: string;
}

/** The place behind every event that shows in a snapshot. */
export const behind = (snapshot: string): EventPosition => ({ before: snapshot, within: snapshot, id: '0' });

/** A snapshot as its `xmin`, `xmax`, and the transactions between them that were under way. */
export interface Snapshot {
  readonly xmin: string;
  readonly xmax: string;
  readonly underWay: readonly string[];
}

export function readSnapshot(text: string): Snapshot {
  const [xmin = '', xmax = '', list = ''] = text.split(':');
  return { xmin, xmax, underWay: list === '' ? [] : list.split(',') };
}

/** As callers keep it: letters that need no escape in a URL or a header. */
export function writePosition({ before, within, id }: EventPosition): string {
  if (before === within) return toToken(within);
  return `${before === null ? '' : toToken(before)}.${toToken(within)}.${id}`;
}

/** The position that a text names; null: none. */
export function readPosition(text: string): EventPosition | null {
  const parts = text.split('.');
  const within = toSnapshot(parts.length === 1 ? parts[0] : parts[1]);
  if (within === null) return null;
  if (parts.length === 1) return behind(within);
  const [first = '', , id = ''] = parts;
  const before = toSnapshot(first);
  if (parts.length !== 3 || (before === null && first !== '') || !isNumber(id)) return null;
  return { before, within, id };
}

const toToken = (snapshot: string): string => snapshot.replaceAll(':', '-').replaceAll(',', '_');

/** Fits PostgreSQL's `xid8` and `bigint`. */
const isNumber = (text: string): boolean => /^\d{1,18}$/.test(text);

function toSnapshot(token = ''): string | null {
  const text = token.replaceAll('-', ':').replaceAll('_', ',');
  const { xmin, xmax, underWay } = readSnapshot(text);
  const numbers = [xmin, ...underWay, xmax];
  if (text.split(':').length !== 3 || !numbers.every(isNumber) || BigInt(xmin) === 0n) return null;
  const rises = underWay.every((xid, at) => at === 0 || BigInt(xid) > BigInt(underWay[at - 1] ?? 0));
  const isInside = underWay.every((xid) => BigInt(xid) >= BigInt(xmin) && BigInt(xid) < BigInt(xmax));
  return BigInt(xmin) <= BigInt(xmax) && rises && isInside ? text : null;
}
