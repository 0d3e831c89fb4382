import type { Command } from 'commander';
import type { Tie } from '../command.js';
import { defineChanges } from './define-changes.js';
import { defineExport } from '../export/export-accounts.js';
import { defineImport } from '../import/import-accounts.js';
import { defineHistory } from './history.js';
import { defineLimits } from './limits.js';
import { defineList } from './list.js';
import { defineShow } from './show.js';
import { defineWait } from './wait.js';
import { defineWhy } from './why.js';

export function defineAccounts(program: Command, tie: Tie): void {
  const noun = program.command('accounts').description('the accounts: look at them, and change what they may do');
  defineList(noun, tie);
  defineShow(noun, tie);
  defineWhy(noun, tie);
  defineHistory(noun, tie);
  defineLimits(noun, tie);
  defineChanges(noun, tie);
  defineWait(noun, tie);
  defineImport(noun, tie);
  defineExport(noun, tie);
}
