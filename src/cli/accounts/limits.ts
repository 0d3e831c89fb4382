import type { Command } from 'commander';
import { ACTION_TYPES } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { printOne } from '../output.js';
import { toTable } from '../terminal/print.js';
import { tellWhen } from '../terminal/words.js';
import { findAccount } from './find-account.js';

type LimitsStatus = ReplyBody<'query.limits'>['status'];

export function defineLimits(noun: Command, tie: Tie): void {
  const limits = noun
    .command('limits')
    .description('what an account has done, and what it may still do')
    .argument('<account>', 'id, its beginning, or phone number');
  tie(limits, showLimits);
}

async function showLimits(context: Context, _options: object, given: string): Promise<undefined> {
  const { status } = await context.client.ask('query.limits', { account_id: await findAccount(context, given) });
  printOne(context, status, () => tellLimits(context, status));
}

function tellLimits({ paint, now }: Context, status: LimitsStatus): string {
  const at = now();
  const count = ({ used, limit }: { used: number; limit: number | null }): string =>
    paint(limit !== null && used >= limit ? 'bad' : 'good', `${used} of ${limit ?? 'any'}`);
  const rest = ({ ready, next_allowed_at: next }: { ready: boolean; next_allowed_at: string | null }): string =>
    ready ? paint('good', 'ready') : paint('poor', tellWhen(next, at));
  const actions = toTable(
    ACTION_TYPES,
    [
      ['ACTION', (action) => action],
      ['TODAY', (action) => count(status.daily_limits[action])],
      ['LAST HOUR', (action) => count(status.hourly_limits[action])],
      ['COOLDOWN', (action) => rest(status.cooldowns[action])],
      ['BURST', (action) => rest(status.burst_status[action])],
    ],
    paint,
  );
  const channels = ACTION_TYPES.flatMap((action) =>
    Object.entries(status.per_channel_limits[action]).map(([channel, window]) => ({ action, channel, window })),
  );
  if (channels.length === 0) return actions;
  const inChannels = toTable(
    channels,
    [
      ['ACTION', ({ action }) => action],
      ['CHANNEL', ({ channel }) => channel],
      ['TODAY', ({ window }) => count(window)],
      ['EVER', ({ window }) => count(window.total)],
    ],
    paint,
  );
  return `${actions}\n\n${inChannels}`;
}
