import type { Command } from 'commander';
import type { ActionType } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { type FilterOptions, toFields, withFilter } from '../accounts/filter.js';
import type { AccountEntry } from '../accounts/find-account.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { tellCount } from '../terminal/words.js';
import type { SealSessions } from './seal-sessions.js';
import { withoutSecrets } from './without-secrets.js';

interface Options extends FilterOptions {
  sealedWith?: string;
}

const PAGE = 100;
const AT_ONCE = 4;

const HELP = `
Writes one JSON object a line, as "accounts import" reads it: ids, phone numbers, metadata without passwords, and how each
account stands. Sessions come along with --sealed-with alone, sealed under the key in that file (64 hex digits), which
the import needs too; it must run in the environment of the service, whose database and keys it reads.`;

export function defineExport(noun: Command, tie: Tie): void {
  const command = withFilter(noun.command('export').description('write accounts for moving them elsewhere'))
    .option('--sealed-with <file>', 'sessions and all metadata too, sealed under the key in this file')
    .addHelpText('after', HELP);
  tie(command, exportAccounts);
}

async function exportAccounts(context: Context, { sealedWith, ...filter }: Options): Promise<undefined> {
  const seal = sealedWith === undefined ? null : await openSeal(sealedWith);
  let cursor: string | null | undefined;
  let done = 0;
  try {
    do {
      const fields = { ...toFields(filter), limit: PAGE, cursor };
      const page = await context.client.ask('query.accounts', fields);
      for (const line of await describeAll(context, page.accounts, seal)) context.print(JSON.stringify(line));
      done += page.accounts.length;
      context.progress(tellCount(done, 'account'));
      cursor = page.next_cursor;
    } while (cursor !== null);
  } finally {
    await seal?.close();
  }
  context.say(`${tellCount(done, 'account')} exported, ${seal === null ? 'without' : 'with sealed'} sessions.`);
}

/** It loads the database's driver, which other commands need not wait for. */
async function openSeal(file: string): Promise<SealSessions> {
  const { loadSealedSessions } = await import('./seal-sessions.js');
  return loadSealedSessions(file);
}

/** In the order of the accounts. */
async function describeAll(context: Context, accounts: readonly AccountEntry[], seal: SealSessions | null) {
  const sealed = await seal?.seal(accounts.map(({ account_id: id }) => id));
  const lines: Record<string, unknown>[] = [];
  for (let from = 0; from < accounts.length; from += AT_ONCE) {
    const part = accounts.slice(from, from + AT_ONCE).map(async (account) => ({
      ...describe(account, await context.client.ask('query.limits', { account_id: account.account_id })),
      ...sealed?.get(account.account_id),
    }));
    lines.push(...(await Promise.all(part)));
  }
  return lines;
}

/** Empty fields are left out. */
function describe(account: AccountEntry, { status: limits }: ReplyBody<'query.limits'>): Record<string, unknown> {
  const { account_id, user_id, phone, metadata, status, disabled_reason, flood_wait_until, blocked_until } = account;
  const described = {
    account_id,
    user_id,
    phone,
    metadata: withoutSecrets(metadata),
    status,
    disabled_reason,
    flood_wait_until,
    blocked_until,
    usage: usageOf(limits),
  };
  return Object.fromEntries(Object.entries(described).filter(([, value]) => value !== null && value !== undefined));
}

function usageOf({ daily_limits: daily, per_channel_limits: perChannel }: ReplyBody<'query.limits'>['status']) {
  const usage: Partial<Record<ActionType, object>> = {};
  const ofChannels: Partial<typeof perChannel> = perChannel;
  for (const [action, { used: today }] of Object.entries(daily) as [ActionType, { used: number }][]) {
    const channels = Object.entries(ofChannels[action] ?? {}).map(
      ([channel, { used, total }]) => [channel, { today: used, total: total.used }] as const,
    );
    if (today > 0 || channels.length > 0) usage[action] = { today, by_channel: Object.fromEntries(channels) };
  }
  return Object.keys(usage).length === 0 ? undefined : usage;
}
