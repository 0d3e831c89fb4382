import type { Command } from 'commander';
import type { ReplyBody } from '../../contracts/operations.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { printFacts } from './output.js';
import { tellNumber } from './terminal/words.js';

export function defineStatus(program: Command, tie: Tie): void {
  tie(program.command('status').description('the fleet, who has its accounts, and what the service depends on'), show);
}

async function show(context: Context): Promise<undefined> {
  const [status, alerts] = await Promise.all([
    context.client.ask('query.status', {}),
    context.client.ask('query.alerts', { limit: 1 }),
  ]);
  printFacts(context, { ...status, open_alerts: alerts.total }, tellStatus(context, status, alerts.total));
}

/** How the fleet and the service stand, a line each. */
export function tellStatus(
  { paint }: Pick<Context, 'paint'>,
  status: ReplyBody<'query.status'>,
  openAlerts: number,
): [string, string][] {
  const { status_breakdown: byStatus, leases_by_service: leases, dependencies } = status;
  const tellCounts = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${tellNumber(count)}`)
      .join(', ');
  return [
    ['accounts', `${tellNumber(status.total_accounts)} (${tellCounts(byStatus) || 'none'})`],
    ['available', `${tellNumber(status.available_accounts)} active and not leased`],
    ['healthy', tellNumber(status.healthy_accounts)],
    ['leased', `${tellNumber(status.leased_accounts)}${status.leased_accounts > 0 ? ` (${tellCounts(leases)})` : ''}`],
    ['alerts', openAlerts === 0 ? 'none open' : paint('poor', `${tellNumber(openAlerts)} open`)],
    ...Object.entries(dependencies).map(([name, { up, latency_ms: latency, detail }]): [string, string] => [
      name,
      up
        ? `${paint('good', 'up')}${latency === null ? '' : `, answers in ${latency} ms`}`
        : `${paint('bad', 'down')}${detail === undefined ? '' : `: ${detail}`}`,
    ]),
    ['identity', status.identity === 'on' ? 'on' : paint('poor', 'off: whoever reaches the service may do everything')],
  ];
}
