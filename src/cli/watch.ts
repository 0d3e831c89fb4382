import type { Command } from 'commander';
import { alertColumns } from './alerts.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { tellEvent } from './events.js';
import { followEvents, type Told } from './event-stream.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { leaseColumns } from './leases.js';
import { toLength } from './options.js';
import { recoveryColumns } from './recoveries.js';
import { tellStatus } from './status.js';
import { cutLine } from './terminal/cut-line.js';
import { toLines, toTable } from './terminal/print.js';
import { openScreen } from './terminal/screen.js';
import { tellInstant } from './terminal/words.js';

export function defineWatch(program: Command, tie: Tie): void {
  const watch = program
    .command('watch')
    .description('a live screen of the fleet: alerts, leases, recoveries, events; q ends it')
    .option('--every <length>', 'look so often', toLength, 2_000);
  tie(watch, watchFleet);
}

/** Rows of each list on the screen. */
const ROWS = 8;

async function watchFleet(context: Context, { every }: { every: number }): Promise<undefined> {
  if (!process.stdout.isTTY || !process.stdin.isTTY)
    throw usageError('watch needs a terminal; see status and events tail');
  // A fault is reported before the screen is taken.
  let text = await readFleet(context);
  const events: Told[] = [];
  const screen = openScreen();
  const show = (): void => {
    const { columns, rows } = screen.size();
    const recent = events.map((event) => tellEvent(context, event));
    const lines = [...text.split('\n'), '', context.paint('strong', 'EVENTS'), ...recent];
    screen.draw(lines.slice(0, rows).map((line) => cutLine(line, columns)));
  };
  const ended = AbortSignal.any([context.signal, screen.closed]);
  const followed = gatherEvents(context, ended, (event) => {
    events.unshift(event);
    events.length = Math.min(events.length, ROWS * 2);
    show();
  });
  try {
    show();
    for (;;) {
      await waitAtMost(every, ended);
      if (ended.aborted) break;
      text = await readFleet(context).catch((error: unknown) => tellFailure(context, error));
      show();
    }
  } finally {
    screen.close();
    await followed;
  }
  if (screen.isInterrupted() || context.signal.aborted) throw new CommandError(EXIT.interrupted, 'interrupted');
  return undefined;
}

async function gatherEvents(context: Context, ended: AbortSignal, take: (event: Told) => void): Promise<void> {
  try {
    for await (const event of followEvents(context.client, { filter: {}, after: null, signal: ended })) take(event);
  } catch {
    // The screen lives without events: the caller may have no right to them.
  }
}

async function readFleet(context: Context): Promise<string> {
  const { client, paint, now } = context;
  const [status, alerts, leases, recoveries] = await Promise.all([
    client.ask('query.status', {}),
    client.ask('query.alerts', { limit: ROWS }),
    client.ask('query.leases', { limit: ROWS }),
    client.ask('query.recoveries', { limit: ROWS }),
  ]);
  const at = now();
  const part = (heading: string, total: number, table: string): string =>
    `\n${paint('strong', `${heading} (${total})`)}\n${total === 0 ? paint('faint', 'none') : table}`;
  return [
    `${paint('strong', 'Account Manager')}  ${client.connection.url}  ${tellInstant(status.generated_at)}  q ends`,
    toLines(tellStatus(context, status, alerts.total), paint),
    part('ALERTS', alerts.total, toTable(alerts.alerts, alertColumns(at, paint), paint)),
    part('LEASES', leases.total, toTable(leases.leases, leaseColumns(at), paint)),
    part('RECOVERIES', recoveries.total, toTable(recoveries.recoveries, recoveryColumns(at), paint)),
  ].join('\n');
}

/** A service that is away for a moment does not end the screen; a refusal does. */
function tellFailure({ paint }: Context, error: unknown): string {
  if (error instanceof CommandError && error.exit === EXIT.unreachable) return paint('bad', error.message);
  throw error;
}

function waitAtMost(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    ended.addEventListener('abort', over, { once: true });
  });
}
