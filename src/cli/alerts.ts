import type { Command } from 'commander';
import type { ReplyBody } from '../../contracts/operations.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { choice, withList } from './options.js';
import { type ListOptions, printList, toPage } from './output.js';
import type { Paint, Tone } from './terminal/paint.js';
import type { TextColumn } from './terminal/print.js';
import { tellWhen } from './terminal/words.js';

export type AlertEntry = ReplyBody<'query.alerts'>['alerts'][number];

interface Options extends ListOptions {
  state?: string;
  severity?: string;
  alert?: string;
}

export function defineAlerts(program: Command, tie: Tie): void {
  const noun = program.command('alerts').description('what is wrong with the fleet, or was');
  const list = noun
    .command('list', { isDefault: true })
    .description('the newest first')
    .addOption(choice('--state <state>', 'open ones unless told otherwise', ['open', 'resolved', 'all']))
    .addOption(choice('--severity <severity>', 'only these', ['info', 'warning', 'critical']))
    .option('--alert <name>', 'only alerts of this name, such as blocked_share');
  tie(withList(list), listAlerts);
}

async function listAlerts(context: Context, options: Options): Promise<undefined> {
  const { state, severity, alert } = options;
  await printList(context, options, alertColumns(context.now(), context.paint), async (page) => {
    const reply = await context.client.ask('query.alerts', { state, severity, alert, ...page });
    return toPage(reply.alerts, reply);
  });
}

const TONES: Readonly<Record<AlertEntry['severity'], Tone>> = { info: 'faint', warning: 'poor', critical: 'bad' };

export const alertColumns = (now: number, paint: Paint): TextColumn<AlertEntry>[] => [
  ['SEVERITY', ({ severity }) => paint(TONES[severity], severity)],
  ['ALERT', ({ alert }) => alert],
  ['SUBJECT', ({ subject }) => subject],
  ['RAISED', ({ raised_at: at }) => tellWhen(at, now)],
  ['RESOLVED', ({ resolved_at: at }) => tellWhen(at, now)],
  ['DATA', ({ data }) => tellData(data)],
];

const tellData = (data: AlertEntry['data']): string =>
  Object.entries(data)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
