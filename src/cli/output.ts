import { CommandError, EXIT } from './exit.js';
import type { Context } from './context.js';
import { type TextColumn, toLines, toTable } from './terminal/print.js';
import { tellNumber } from './terminal/words.js';

/** Prints entries: a table, one JSON array, or a line of JSON each. */
export function printEntries<T>(context: Context, entries: readonly T[], columns: readonly TextColumn<T>[]): void {
  const { format, print, paint } = context;
  switch (format) {
    case 'table':
      if (entries.length > 0) print(toTable(entries, columns, paint));
      return;
    case 'json':
      print(JSON.stringify(entries, null, 2));
      return;
    case 'jsonl':
      for (const entry of entries) print(JSON.stringify(entry));
      return;
    default:
      format satisfies never;
  }
}

/** Prints one thing: what `tell` says of it, or its JSON. */
export function printOne(context: Context, value: unknown, tell: () => string): void {
  const { format, print } = context;
  if (format === 'table') print(tell());
  else print(format === 'json' ? JSON.stringify(value, null, 2) : JSON.stringify(value));
}

/** As `printOne`, where what is known is a list of facts. */
export const printFacts = (
  context: Context,
  value: unknown,
  facts: readonly (readonly [name: string, value: string])[],
): void => printOne(context, value, () => toLines(facts, context.paint));

/** One page of a list. */
export interface ListPage<T> {
  entries: readonly T[];
  total?: number;
  totalIsAtLeast?: boolean;
  nextCursor: string | null;
}

/** How many entries a list gives; `all`: all of them. */
export interface ListOptions {
  limit: number;
  all?: boolean;
}

/** The service gives no larger page. */
const MAX_PAGE = 500;

/** Asks for page after page until there are enough entries, and prints them. Says on stderr where there are more. */
export async function printList<T>(
  context: Context,
  { limit, all = false }: ListOptions,
  columns: readonly TextColumn<T>[],
  load: (page: { limit: number; cursor: string | undefined }) => Promise<ListPage<T>>,
): Promise<void> {
  const wanted = all ? Number.POSITIVE_INFINITY : limit;
  const gathered: T[] = [];
  let printed = 0;
  let cursor: string | undefined;
  let page: ListPage<T>;
  do {
    page = await load({ limit: Math.min(MAX_PAGE, wanted - gathered.length - printed), cursor });
    gathered.push(...page.entries);
    cursor = page.nextCursor ?? undefined;
    if (context.format === 'jsonl') {
      printEntries(context, gathered.splice(0), columns);
      printed += page.entries.length;
    }
  } while (cursor !== undefined && gathered.length + printed < wanted);
  if (context.format !== 'jsonl') printEntries(context, gathered, columns);
  const shown = gathered.length + printed;
  if (shown === 0) context.say('Nothing matches.');
  if (cursor === undefined) return;
  const of = page.total === undefined ? '' : ` of ${tellNumber(page.total)}${page.totalIsAtLeast ? ' or more' : ''}`;
  context.say(`The first ${tellNumber(shown)}${of}; --all lists all, --limit more.`);
}

/** Names of the list operations' replies. */
interface ListReply {
  total: number;
  total_is_at_least: boolean;
  next_cursor: string | null;
}

export const toPage = <T>(entries: readonly T[], reply: ListReply): ListPage<T> => ({
  entries,
  total: reply.total,
  totalIsAtLeast: reply.total_is_at_least,
  nextCursor: reply.next_cursor,
});

/** Where some of the work was refused. */
export const partlyDone = (message: string): CommandError => new CommandError(EXIT.refused, message);
