import { type Command, InvalidArgumentError } from 'commander';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { usageError } from '../exit.js';
import { choice, toWhole } from '../options.js';
import { partlyDone } from '../output.js';
import { tellNumber } from '../terminal/words.js';
import { openSealed, readKey } from '../export/seal-key.js';
import { type Field, isField } from './columns.js';
import { compareAccounts } from './compare-accounts.js';
import { FILE_FORMS, type FileForm, readFiles } from './read-files.js';
import { type Outgoing, sendAccounts } from './send-accounts.js';
import type { Rows } from './source-row.js';
import { createRowTally, type RowTally } from './tally.js';
import { type MappingOptions, toAccount } from './to-account.js';

interface Options {
  from?: string;
  form?: FileForm;
  user?: number;
  map?: ReadonlyMap<Field, string>;
  unknown: MappingOptions['unknown'];
  dryRun?: boolean;
  sealedWith?: string;
}

const HELP = `
A file is CSV (any order of columns, with a heading), JSON, one JSON object a line, session strings (one a line, after
the phone number or alone), a .session file of Telethon or Pyrogram, or what pg_dump wrote of telegram_sessions. A
directory is read for its .session files. Which it is, the contents say; --form says it where they do not.

An account is known by its phone number, so an import may be repeated. It never makes an account healthier than it was:
waits, blocks, bans, today's counters and the totals of channels come along, and a lock becomes a wait until its end.`;

export function defineImport(noun: Command, tie: Tie): void {
  const command = noun
    .command('import')
    .description('register accounts from files, or from the database of the predecessor')
    .argument('[file...]', 'files and directories')
    .option('--from <url>', 'read telegram_sessions of this database instead: postgres://…')
    .addOption(choice('--form <form>', 'what the files are', FILE_FORMS))
    .option('--user <id>', 'whose accounts they are where the source does not say it', toWhole)
    .option('--map <field=column>', "a field, and the source's column for it; may be repeated", addMapping)
    .addOption(
      choice('--unknown <way>', 'what to do with columns that are not known', ['refuse', 'ignore', 'metadata']).default(
        'refuse',
      ),
    )
    .option('--sealed-with <file>', 'the key of an export with sealed sessions')
    .option('--dry-run', 'tell what would become other, and register nothing')
    .addHelpText('after', HELP);
  tie(command, importAccounts);
}

function addMapping(given: string, before: ReadonlyMap<Field, string> = new Map()): ReadonlyMap<Field, string> {
  const [, field = '', column = ''] = /^(\w+)=(.+)$/.exec(given) ?? [];
  if (!isField(field)) throw new InvalidArgumentError('It must be a field of an account, then = and a column.');
  return new Map([...before, [field, column]]);
}

async function importAccounts(context: Context, options: Options, files: readonly string[]): Promise<undefined> {
  const { from, form, dryRun = false, unknown, user: userId, map = new Map(), sealedWith } = options;
  if ((from === undefined) === (files.length === 0)) throw usageError('name files, or give --from, and not both');
  if (from !== undefined && !/^postgres(ql)?:\/\//.test(from)) throw usageError('--from must begin with postgres://');
  const rows = from === undefined ? readFiles(files, form) : await openDatabase(from);
  const key = sealedWith === undefined ? null : await readKey(sealedWith);
  const open = key && ((sealed: string, accountId: string) => openSealed(key, { sealed, accountId }));
  const tally = createRowTally(context);
  const accounts = mapRows(rows, { now: context.now(), map, userId, unknown, open }, tally);
  try {
    if (dryRun) for await (const outcome of compareAccounts(context.client, accounts)) tally.add(outcome);
    else {
      await sendAccounts(context.client, accounts, (sent, { outcome, account_id: id, field, reason }) =>
        tally.add({
          place: sent.place,
          outcome,
          account_id: id ?? null,
          field: field ?? null,
          reason: reason ?? null,
          notes: sent.notes,
        }),
      );
    }
  } finally {
    tally.tell(dryRun);
  }
  if (tally.rejected() > 0) throw partlyDone(`${tellNumber(tally.rejected())} of the rows cannot be taken`);
}

/** It loads the database's driver, which other commands need not wait for. */
async function openDatabase(url: string): Promise<Rows> {
  const { readDatabase } = await import('./read-database.js');
  return readDatabase(url);
}

async function* mapRows(rows: Rows, options: MappingOptions, tally: RowTally): AsyncGenerator<Outgoing> {
  for await (const row of rows) {
    const mapped = toAccount(row, options);
    if ('account' in mapped) {
      yield { place: row.place, ...mapped };
      continue;
    }
    tally.add({ place: row.place, outcome: 'rejected', account_id: null, ...mapped, notes: [] });
  }
}
