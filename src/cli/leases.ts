import type { Command } from 'commander';
import type { ReplyBody } from '../../contracts/operations.js';
import { findAccount } from './accounts/find-account.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { toServiceName, withList, withUser } from './options.js';
import { type ListOptions, printList, toPage } from './output.js';
import type { TextColumn } from './terminal/print.js';
import { tellWhen } from './terminal/words.js';

export type LeaseEntry = ReplyBody<'query.leases'>['leases'][number];

interface Options extends ListOptions {
  user?: number;
  service?: string;
  account?: string;
}

export function defineLeases(program: Command, tie: Tie): void {
  const noun = program.command('leases').description('who has which account, for what, until when');
  const list = withUser(noun.command('list', { isDefault: true }).description('open leases, the earliest end first'))
    .option('--service <name>', 'only leases of this service', toServiceName)
    .option('--account <account>', 'only of this account: id or phone number');
  tie(withList(list), listLeases);
}

async function listLeases(context: Context, options: Options): Promise<undefined> {
  const { user, service, account } = options;
  const accountId = account === undefined ? undefined : await findAccount(context, account);
  await printList(context, options, leaseColumns(context.now()), async (page) => {
    const filter = { user_id: user, service_name: service, account_id: accountId };
    const reply = await context.client.ask('query.leases', { ...filter, ...page });
    return toPage(reply.leases, reply);
  });
}

export const leaseColumns = (now: number): TextColumn<LeaseEntry>[] => [
  ['ACCOUNT', ({ account_id: id }) => id],
  ['PHONE', ({ phone }) => phone ?? ''],
  ['USER', ({ user_id: user }) => String(user)],
  ['SERVICE', ({ service_name: service }) => service],
  ['PURPOSE', ({ purpose }) => purpose],
  ['CHANNEL', ({ target_channel: channel }) => channel ?? ''],
  ['SINCE', ({ allocated_at: at }) => tellWhen(at, now)],
  ['ENDS', ({ expires_at: at }) => tellWhen(at, now)],
  ['ACTIONS', ({ actions }) => tellActions(actions)],
];

const tellActions = (actions: LeaseEntry['actions']): string =>
  Object.entries(actions)
    .map(([action, count]) => `${action} ${count}`)
    .join(', ');
