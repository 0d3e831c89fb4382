import type { Command } from 'commander';
import type { ParkedMessage, ParkedResult } from '../../contracts/parked.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { usageError } from './exit.js';
import { withList } from './options.js';
import { type ListOptions, partlyDone, printEntries, printList, printOne } from './output.js';
import { type TextColumn, toLines } from './terminal/print.js';
import { tellCount, tellInstant, tellWhen } from './terminal/words.js';

/** The service works on so many at a time. */
const AT_ONCE = 20;

interface Choice {
  all?: boolean;
  force?: boolean;
  reason?: string;
  yes?: boolean;
  dryRun?: boolean;
}

export function defineParked(program: Command, tie: Tie): void {
  const noun = program.command('parked').description('messages that were put aside: invalid, or given up');
  tie(withList(noun.command('list', { isDefault: true }).description('the oldest first')), listParked);
  const show = noun.command('show').description('whole messages, without their secrets').argument('<id...>');
  tie(show, showParked);
  const replay = noun
    .command('replay')
    .description('run messages again as the requests that they were')
    .option('--force', 'also those that were parked so long ago that nobody knows whether they have been done since');
  tie(withChoice(replay), (context: Context, options: Choice, ids: string[]) =>
    settle(context, 'replay', options, ids),
  );
  const discard = noun.command('discard').description('remove messages unserved');
  tie(withChoice(discard), (context: Context, options: Choice, ids: string[]) =>
    settle(context, 'discard', options, ids),
  );
}

const withChoice = (command: Command): Command =>
  command
    .argument('[id...]', 'which')
    .option('--all', 'all that are parked now')
    .option('--reason <text>', 'why, for the log')
    .option('--dry-run', 'list what would be done, and do nothing')
    .option('-y, --yes', 'do not ask');

const columns = (now: number): TextColumn<ParkedMessage>[] => [
  ['ID', ({ parked_id: id }) => id],
  ['PARKED', ({ parked_at: at }) => tellWhen(at, now)],
  ['OPERATION', ({ operation }) => operation],
  ['CODE', ({ code }) => code ?? ''],
  ['CALLER', ({ caller }) => caller ?? ''],
  ['COPIES', ({ copies }) => String(copies)],
  ['REASON', ({ reason }) => reason],
  ['NO REPLAY', ({ obstacle }) => obstacle ?? ''],
];

async function listParked(context: Context, options: ListOptions): Promise<undefined> {
  await printList(context, options, columns(context.now()), async ({ limit, cursor }) => {
    // A page of it holds 100 at most.
    const reply = await context.client.ask('admin.parked', { action: 'list', limit: Math.min(100, limit), cursor });
    return { entries: reply.messages, total: reply.total, nextCursor: reply.next_cursor };
  });
}

async function showParked(context: Context, _options: object, ids: string[]): Promise<undefined> {
  const messages = await load(context, ids);
  const found = new Set(messages.map(({ parked_id: id }) => id));
  if (context.format === 'table') {
    for (const message of messages) printOne(context, message, () => `${tellMessage(context, message)}\n`);
  } else printEntries(context, messages, []);
  const missing = ids.filter((id) => !found.has(id.toLowerCase()));
  if (missing.length > 0) throw partlyDone(`not parked: ${missing.join(', ')}`);
}

async function load({ client }: Context, ids: readonly string[]): Promise<ParkedMessage[]> {
  const messages: ParkedMessage[] = [];
  for (const some of inPortions(ids)) {
    const reply = await client.ask('admin.parked', { action: 'show', parked_ids: some });
    messages.push(...reply.messages);
  }
  return messages;
}

function tellMessage({ paint }: Context, message: ParkedMessage): string {
  const { parked_at: parkedAt } = message;
  const facts: [string, string][] = [
    ['id', message.parked_id],
    ['parked', parkedAt === null ? '' : tellInstant(parkedAt)],
    ['operation', message.operation],
    ['code', message.code ?? ''],
    ['reason', message.reason],
    ['caller', message.caller ?? ''],
    ['message id', message.message_id ?? ''],
    ['correlation id', message.correlation_id ?? ''],
    ['tried', String(message.attempts)],
    ['copies', String(message.copies)],
    ['size', `${message.bytes} bytes`],
    ['no replay', message.obstacle ?? ''],
    ['body', message.body ?? ''],
  ];
  return toLines(
    facts.filter(([, value]) => value !== ''),
    paint,
  );
}

/** Replays or discards, in portions; each message is settled by itself. */
async function settle(
  context: Context,
  action: 'replay' | 'discard',
  { all = false, force, reason, yes = false, dryRun = false }: Choice,
  given: readonly string[],
): Promise<undefined> {
  if (all === given.length > 0) throw usageError('name the messages, or say --all');
  const ids = all ? await listIds(context) : given;
  if (ids.length === 0) {
    context.say('Nothing is parked.');
    printEntries(context, [], []);
    return;
  }
  if (dryRun) {
    printEntries(context, await load(context, ids), columns(context.now()));
    context.say(`A dry run: nothing was ${action === 'replay' ? 'replayed' : 'discarded'}.`);
    return;
  }
  const question = `${action === 'replay' ? 'Replay' : 'Discard'} ${tellCount(ids.length, 'message')}?`;
  // To run a request once more harms nothing: what was done already is answered from the stored reply.
  if (action === 'discard' || all) await context.confirm(question, { yes });
  const results: ParkedResult[] = [];
  for (const some of inPortions(ids)) {
    context.progress(`${results.length} of ${ids.length} …`);
    const fields = { action, parked_ids: some, ...(action === 'replay' && { force }), reason };
    const reply = await context.client.ask('admin.parked', fields);
    results.push(...reply.results);
  }
  context.progress(null);
  printEntries(context, results, [
    ['ID', ({ parked_id: id }) => id],
    ['OUTCOME', ({ outcome }) => outcome],
    ['ANSWERED', ({ code }) => code ?? ''],
    ['REASON', (result) => result.reason ?? ''],
  ]);
  const left = results.filter(({ outcome }) => outcome === 'kept' || outcome === 'not_found');
  if (left.length > 0) throw partlyDone(`${left.length} of ${results.length} were not ${action}ed`);
}

async function listIds({ client }: Context): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const reply: { messages: ParkedMessage[]; next_cursor: string | null } = await client.ask('admin.parked', {
      action: 'list',
      limit: 100,
      cursor,
    });
    ids.push(...reply.messages.map(({ parked_id: id }) => id));
    cursor = reply.next_cursor;
  } while (cursor !== null);
  return ids;
}

const inPortions = (ids: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, at) => ids.slice(at * AT_ONCE, (at + 1) * AT_ONCE));
