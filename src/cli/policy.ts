import type { Command } from 'commander';
import type { ReplyBody } from '../../contracts/operations.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { printOne } from './output.js';
import { toLines, toTable } from './terminal/print.js';

type Policy = ReplyBody<'query.policy'>;

export function definePolicy(program: Command, tie: Tie): void {
  const noun = program.command('policy').description('the limits in force, and what else the service goes by');
  tie(noun.command('show', { isDefault: true }).description('limits by action, re-entry, alerts, cadences'), show);
}

async function show(context: Context): Promise<undefined> {
  const policy = await context.client.ask('query.policy', {});
  printOne(context, policy, () => tellPolicy(context, policy));
}

function tellPolicy({ paint }: Context, policy: Policy): string {
  const { limits, differing, reentry, alerts, cadences } = policy;
  const number = (value: number | null | undefined, unit = ''): string =>
    value === null || value === undefined ? '' : `${value}${unit}`;
  const table = toTable(
    Object.entries(limits),
    [
      ['ACTION', ([action]) => action],
      ['A DAY', ([, limit]) => number(limit.daily_limit)],
      ['AN HOUR', ([, limit]) => number(limit.hourly_limit)],
      ['CHANNEL, A DAY', ([, limit]) => number(limit.per_channel_daily)],
      ['CHANNEL, EVER', ([, limit]) => number(limit.per_channel_total)],
      ['COOLDOWN', ([, limit]) => number(limit.cooldown_seconds, ' s')],
      ['BURST', ([, limit]) => number(limit.burst_limit)],
      ['THEN', ([, limit]) => number(limit.burst_cooldown_seconds, ' s')],
      ['NOT BY DEFAULT', ([action]) => tellDiffering(differing[action as keyof typeof differing])],
    ],
    paint,
  );
  const facts: [string, string][] = [
    ['failed attempts', policy.count_failed_attempts ? 'count' : 'do not count'],
    [
      'after a block',
      reentry.days === 0
        ? 'the full limits hold'
        : `${reentry.daily_percent} % of daily limits for ${reentry.days} days`,
    ],
    [
      'alerts from',
      Object.entries(alerts)
        .map(([name, share]) => `${name} ${share}`)
        .join(', '),
    ],
    ['history', `${policy.history_days} days`],
    ...Object.entries(cadences).map(([job, cadence]): [string, string] => [job, cadence]),
  ];
  return `${table}\n\n${toLines(facts, paint)}`;
}

/** Limits that differ, with their defaults. */
const tellDiffering = (defaults: Partial<Policy['limits'][keyof Policy['limits']]> | undefined): string =>
  Object.entries(defaults ?? {})
    .map(([name, value]) => `${name} (${value === null ? 'none' : value})`)
    .join(', ');
