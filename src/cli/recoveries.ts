import type { Command } from 'commander';
import type { ReplyBody } from '../../contracts/operations.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { toLength, withList, withUser } from './options.js';
import { type ListOptions, printList, toPage } from './output.js';
import type { TextColumn } from './terminal/print.js';
import { tellWhen } from './terminal/words.js';

export type RecoveryEntry = ReplyBody<'query.recoveries'>['recoveries'][number];

interface Options extends ListOptions {
  user?: number;
  /** Milliseconds. */
  within?: number;
}

export function defineRecoveries(program: Command, tie: Tie): void {
  const noun = program.command('recoveries').description('which accounts wait, why, and until when');
  const list = withUser(noun.command('list', { isDefault: true }).description('the soonest to recover first'));
  tie(
    withList(list.option('--within <length>', 'only waits that end within so long, such as 2h', toLength)),
    listRecoveries,
  );
}

async function listRecoveries(context: Context, options: Options): Promise<undefined> {
  const { user, within } = options;
  const seconds = within === undefined ? undefined : Math.ceil(within / 1_000);
  await printList(context, options, recoveryColumns(context.now()), async (page) => {
    const reply = await context.client.ask('query.recoveries', { user_id: user, within_seconds: seconds, ...page });
    return toPage(reply.recoveries, reply);
  });
}

export const recoveryColumns = (now: number): TextColumn<RecoveryEntry>[] => [
  ['ACCOUNT', ({ account_id: id }) => id],
  ['PHONE', ({ phone }) => phone ?? ''],
  ['USER', ({ user_id: user }) => String(user)],
  ['STATUS', ({ status }) => status],
  ['BECAUSE', ({ telegram_error: error, classified_as: errorClass }) => error ?? errorClass ?? ''],
  ['SINCE', ({ began_at: at }) => tellWhen(at, now)],
  ['RECOVERS', ({ recovers_at: at }) => tellWhen(at, now)],
];
