/** Our own colours, and every other character. */
const PIECES = /\x1b\[[\d;]*m|[\s\S]/gu;

/** A line that is no wider than the terminal; colours take no room and end with the line. */
export function cutLine(line: string, columns: number): string {
  let width = 0;
  let cut = '';
  for (const [piece] of line.matchAll(PIECES)) {
    if (!piece.startsWith('\x1b')) {
      if (width === columns) return cut.includes('\x1b') ? `${cut}\x1b[0m` : cut;
      width += 1;
    }
    cut += piece;
  }
  return cut;
}
