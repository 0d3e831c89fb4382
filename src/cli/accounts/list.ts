import type { Command } from 'commander';
import { PURPOSES } from '../../../contracts/fields.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { choice, withList } from '../options.js';
import { type ListOptions, printList, toPage } from '../output.js';
import type { Paint, Tone } from '../terminal/paint.js';
import type { TextColumn } from '../terminal/print.js';
import { tellWhen } from '../terminal/words.js';
import { type FilterOptions, toFields, withFilter } from './filter.js';
import type { AccountEntry } from './find-account.js';

interface Options extends FilterOptions, ListOptions {
  purpose?: string;
  channel?: string;
  available?: boolean;
  phone?: string;
  search?: string;
}

export function defineList(noun: Command, tie: Tie): void {
  const list = withFilter(noun.command('list').description('accounts of the fleet, by their ids'))
    .addOption(choice('--purpose <purpose>', 'judge whether an account is available for this', PURPOSES))
    .option('--channel <channel>', 'judge it by the limits in this channel too')
    .option('--available', 'only accounts that are available now')
    .option('--phone <number>', 'only the account with this phone number')
    .option('--search <text>', 'id or its beginning, 4 digits of a phone number, or a service');
  tie(withList(list), listAccounts);
}

async function listAccounts(context: Context, options: Options): Promise<undefined> {
  const { purpose, channel, available, phone, search } = options;
  const filter = {
    ...toFields(options),
    purpose,
    target_channel_id: channel,
    only_available: available,
    phone,
    search,
  };
  await printList(context, options, columns(context.now(), context.paint), async (page) => {
    const reply = await context.client.ask('query.accounts', { ...filter, ...page });
    return toPage(reply.accounts, reply);
  });
}

const TONES: Readonly<Record<AccountEntry['status'], Tone>> = {
  active: 'good',
  flood_wait: 'poor',
  blocked: 'bad',
  draining: 'poor',
  disabled: 'bad',
};

/** The status, and why an account is disabled. */
export const tellState = ({ status, disabled_reason: reason }: AccountEntry, paint: Paint): string =>
  paint(TONES[status], reason === null ? status : `${status} (${reason})`);

export const tellRestriction = ({ restricted_by: by }: AccountEntry): string =>
  by?.telegram_error ?? by?.reason ?? by?.classified_as ?? '';

const columns = (now: number, paint: Paint): TextColumn<AccountEntry>[] => [
  ['ACCOUNT', ({ account_id: id }) => id],
  ['PHONE', ({ phone }) => phone ?? ''],
  ['USER', ({ user_id: user }) => String(user)],
  ['STATUS', (account) => tellState(account, paint)],
  ['AVAILABLE', ({ is_available: is, available_at: at }) => (is ? 'now' : tellWhen(at, now))],
  ['LEASED BY', ({ leased_by: service }) => service ?? ''],
  ['BECAUSE', tellRestriction],
  ['INVITES', ({ used_today: { invite } }) => String(invite)],
  ['MESSAGES', ({ used_today: { message } }) => String(message)],
  ['CONTACTS', ({ used_today: { add_contact: contacts } }) => String(contacts)],
];
