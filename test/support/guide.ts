import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A fenced block of code in a page. */
export interface Block {
  /** Such as `ts`, `diff`, `sh`. */
  language: string;
  text: string;
  /** The paragraph before it. */
  lead: string;
}

/** The fenced blocks of a page, in their order. */
export function readBlocks(page: string): Block[] {
  const blocks: Block[] = [];
  let lead: string[] = [];
  let open: { language: string; lines: string[] } | null = null;
  for (const line of page.split('\n')) {
    const fence = /^```(\w*)$/.exec(line);
    if (open !== null && fence !== null) {
      blocks.push({
        language: open.language,
        text: open.lines.map((each) => `${each}\n`).join(''),
        lead: lead.join('\n').trim(),
      });
      open = null;
      lead = [];
    } else if (open !== null) open.lines.push(line);
    else if (fence !== null) open = { language: fence[1] ?? '', lines: [] };
    else if (line === '') lead.push('');
    else lead = lead.at(-1) === '' ? [line] : [...lead, line];
  }
  return blocks;
}

/** The last path that a lead names in backticks: the file its block is about. */
const fileOf = ({ lead }: Block): string => [...lead.matchAll(/`([\w./-]+\.\w+)`/g)].at(-1)?.[1] ?? '';

/**
 * Applies a page's blocks to the files below a folder: `diff` changes the file that its lead names, any other one is
 * that file, which must be new.
 * @returns the files, in the order of the blocks
 */
export function applyBlocks(blocks: readonly Block[], folder: string): string[] {
  return blocks.map((block) => {
    const name = fileOf(block);
    if (name === '') throw new Error(`no file is named before the block ${block.text.slice(0, 60)}`);
    const file = path.join(folder, name);
    if (block.language !== 'diff') {
      if (existsSync(file)) throw new Error(`${name} is there already`);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, block.text);
      return name;
    }
    const lines = block.text.trimEnd().split('\n');
    const without = (mark: string): string =>
      lines.flatMap((line) => (line.startsWith(mark) ? [] : [`${line.slice(1)}\n`])).join('');
    const parts = readFileSync(file, 'utf8').split(without('+'));
    // Found once, the change has one place.
    if (parts.length !== 2) throw new Error(`${name} has ${parts.length - 1} times:\n${without('+')}`);
    writeFileSync(file, parts.join(without('-')));
    return name;
  });
}
