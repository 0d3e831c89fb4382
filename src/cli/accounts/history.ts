import type { Command } from 'commander';
import type { HistoryEntry } from '../../../contracts/history.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { withList } from '../options.js';
import { type ListOptions, printList } from '../output.js';
import type { TextColumn } from '../terminal/print.js';
import { tellInstant } from '../terminal/words.js';
import { findAccount } from './find-account.js';

export function defineHistory(noun: Command, tie: Tie): void {
  const history = noun
    .command('history')
    .description('everything that was done to an account, by whom and why, the newest first')
    .argument('<account>', 'id, its beginning, or phone number; of an account that was removed, the id')
    .option('--type <type>', 'only entries of this type, such as account.flood_wait');
  tie(withList(history), listHistory);
}

async function listHistory(
  context: Context,
  options: ListOptions & { type?: string },
  given: string,
): Promise<undefined> {
  const accountId = await findAccount(context, given);
  await printList(context, options, COLUMNS, async (page) => {
    const fields = { account_id: accountId, type: options.type, ...page };
    const reply = await context.client.ask('query.history', fields);
    return { entries: reply.entries, nextCursor: reply.next_cursor };
  });
}

const COLUMNS: TextColumn<HistoryEntry>[] = [
  ['AT', ({ occurred_at: at }) => tellInstant(at)],
  ['WHAT', ({ type }) => type],
  ['BY', ({ service_name: service, caller }) => service ?? caller ?? ''],
  ['WHY', ({ reason }) => reason ?? ''],
  ['DETAILS', ({ details }) => tellDetails(details)],
];

const tellDetails = (details: HistoryEntry['details']): string =>
  Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
