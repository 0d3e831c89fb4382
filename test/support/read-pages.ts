import type { OperationName, ReplyBody } from '../../contracts/operations.js';
import { ask } from './ask.js';
import type { OperationsHarness } from './operations.js';

/** Reads a list page by page to its end; answers its entries and how many pages they took. */
export async function readPages<K extends OperationName, Entry>(
  harness: OperationsHarness,
  operation: K,
  body: Record<string, unknown>,
  entriesOf: (reply: ReplyBody<K>) => readonly Entry[],
): Promise<{ entries: Entry[]; pages: number }> {
  const entries: Entry[] = [];
  let cursor: string | null = null;
  for (let pages = 1; ; pages++) {
    const reply: ReplyBody<K> = await ask(harness, operation, { ...body, cursor });
    entries.push(...entriesOf(reply));
    cursor = (reply as unknown as { next_cursor: string | null }).next_cursor;
    if (cursor === null) return { entries, pages };
  }
}
