import type { Command } from 'commander';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { printFacts } from '../output.js';
import { tellInstant, tellWhen } from '../terminal/words.js';
import { type AccountEntry, loadAccount } from './find-account.js';
import { tellRestriction, tellState } from './list.js';

export function defineShow(noun: Command, tie: Tie): void {
  const show = noun
    .command('show')
    .description('what is known of an account')
    .argument('<account>', 'id, its beginning, or phone number');
  tie(show, showAccount);
}

async function showAccount(context: Context, _options: object, given: string): Promise<undefined> {
  const account = await loadAccount(context, given);
  const { health } = await context.client.ask('query.health', { account_id: account.account_id });
  printFacts(context, { ...account, health }, [
    ...tellAccount(context, account),
    ['issues', health.issues.join('; ') || 'none'],
    ['errors', String(account.error_count)],
    ['metadata', JSON.stringify(account.metadata)],
  ]);
}

function tellAccount({ paint, now }: Context, account: AccountEntry): [string, string][] {
  const at = now();
  const instant = (given: string | null): string =>
    given === null ? '' : `${tellInstant(given)} (${tellWhen(given, at)})`;
  return [
    ['account', account.account_id],
    ['phone', account.phone ?? ''],
    ['user', String(account.user_id)],
    ['status', tellState(account, paint)],
    ['because', tellRestriction(account)],
    ['recovers', instant(account.recovery_at)],
    ['available', account.is_available ? 'now' : instant(account.available_at)],
    ['leased by', account.leased_by ?? ''],
    ['leased until', instant(account.leased_until)],
    ['last used', instant(account.last_used_at)],
    [
      'used today',
      Object.entries(account.used_today)
        .map(([action, used]) => `${action} ${used}`)
        .join(', '),
    ],
  ];
}
