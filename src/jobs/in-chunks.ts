/** Repeats a chunk of work, which says how much it did, until it did nothing or the signal aborts. */
export async function inChunks(signal: AbortSignal, chunk: () => Promise<number>): Promise<void> {
  while (!signal.aborted && (await chunk()) > 0);
}
