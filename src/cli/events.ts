import type { Command } from 'commander';
import { EVENT_TYPES } from '../../contracts/events.js';
import { findAccount } from './accounts/find-account.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { usageError } from './exit.js';
import { followEvents, type Told } from './event-stream.js';
import { toPositive, withUser } from './options.js';
import { tellInstant } from './terminal/words.js';

interface Options {
  after?: string;
  account?: string;
  user?: number;
  type?: string[];
  count?: number;
}

export function defineEvents(program: Command, tie: Tie): void {
  const noun = program.command('events').description('what happens to the accounts');
  const tail = withUser(
    noun.command('tail').description('events as they come, a line each; goes on where it was broken off'),
  )
    .option('--after <position>', 'begin behind this event, not with those from now on')
    .option('--account <account>', 'only of this account: id or phone number')
    .option('--type <type...>', 'only of these types, such as account.flood_wait')
    .option('--count <n>', 'end after so many events', toPositive);
  tie(tail, tailEvents);
}

async function tailEvents(context: Context, options: Options): Promise<undefined> {
  const { client, signal, say, print, format } = context;
  const { after = null, account, user, type, count = Number.POSITIVE_INFINITY } = options;
  const unknown = type?.find((one) => !(EVENT_TYPES as readonly string[]).includes(one));
  if (unknown !== undefined) throw usageError(`there is no event type ${unknown}; there are ${EVENT_TYPES.join(', ')}`);
  const accountId = account === undefined ? undefined : await findAccount(context, account);
  const filter = { account_id: accountId, user_id: user, types: type?.join(',') };
  let last = after;
  let told = 0;
  const events = followEvents(client, {
    filter,
    after,
    signal,
    onChange: (state) => say(state === 'open' ? 'The stream stands.' : 'The stream broke; it goes on where it was.'),
  });
  try {
    for await (const one of events) {
      print(format === 'table' ? tellEvent(context, one) : JSON.stringify(one));
      last = one.position;
      told += 1;
      if (told >= count) return undefined;
    }
  } finally {
    if (last !== null) say(`To go on from here: --after ${last}`);
  }
  return undefined;
}

/** The columns before show what every event has. */
const TOLD_BEFORE = new Set(['account_id', 'user_id', 'sequence', 'request_id']);

/** An event on one line. */
export function tellEvent({ paint }: Pick<Context, 'paint'>, { event }: Told): string {
  const { type, time, subject, data } = event;
  const details = Object.entries(data)
    .filter(([name, value]) => !TOLD_BEFORE.has(name) && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    paint('faint', tellInstant(time)),
    paint('strong', type.padEnd(LONGEST_TYPE)),
    subject ?? '–',
    ...details,
  ].join('  ');
}
const LONGEST_TYPE = Math.max(...EVENT_TYPES.map((type) => type.length));
