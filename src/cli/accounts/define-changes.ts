import type { Command } from 'commander';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { usageError } from '../exit.js';
import { toWhole } from '../options.js';
import { type Change, type ChangeOptions, CHANGES } from './change.js';
import { changeFiltered } from './change-filtered.js';
import { changeNamed } from './change-named.js';
import { isUnfiltered, withFilter } from './filter.js';

export function defineChanges(noun: Command, tie: Tie): void {
  for (const change of CHANGES) {
    const command = withFilter(
      noun
        .command(change.verb)
        .description(`${change.description}: those named, or all that match a filter`)
        .argument('[account...]', 'ids, their beginnings, or phone numbers'),
    )
      .option('--reason <text>', 'why, for the history', `by hand: accounts ${change.verb}`)
      .option('--expected-count <n>', 'with a filter: do nothing where another number of accounts matches', toWhole)
      .option('--dry-run', 'tell what would be done, and do nothing')
      .option('-y, --yes', 'do not ask');
    if (change.force !== null) command.option('--force', change.force);
    tie(command, (context: Context, options: ChangeOptions, given: string[]) => apply(context, change, options, given));
  }
}

async function apply(
  context: Context,
  change: Change,
  options: ChangeOptions,
  given: readonly string[],
): Promise<undefined> {
  if (isUnfiltered(options) === (given.length === 0)) throw usageError('name accounts, or give a filter, and not both');
  if (given.length > 0 && options.expectedCount !== undefined) throw usageError('--expected-count goes with a filter');
  if (given.length > 0) return changeNamed(context, change, options, given);
  return changeFiltered(context, change, options);
}
