import type { FailureCode } from '../../../contracts/failures.js';
import type { Fields } from '../client.js';
import type { Context } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { partlyDone, printEntries } from '../output.js';
import type { TextColumn } from '../terminal/print.js';
import { tellCount } from '../terminal/words.js';
import type { Change, ChangeOptions } from './change.js';
import { findAccount } from './find-account.js';

/** The outcome for one account. */
interface Outcome {
  account_id: string;
  outcome: 'changed' | 'unchanged' | 'failed';
  /** Why it failed. */
  code?: FailureCode;
  reason?: string;
  /** Beside these the fields of the service's reply. */
  [field: string]: unknown;
}

/** Changes the accounts that are named, each by itself: what one refuses keeps no other back. */
export async function changeNamed(
  context: Context,
  change: Change,
  options: ChangeOptions,
  given: readonly string[],
): Promise<undefined> {
  const ids = new Set<string>();
  for (const one of given) ids.add(await findAccount(context, one));
  if (options.dryRun) return tryOut(context, change, [...ids]);
  const named = ids.size === 1 ? `account ${[...ids].join('')}` : tellCount(ids.size, 'account');
  if (change.isDestructive) await context.confirm(`${change.imperative} ${named}?`, { yes: options.yes ?? false });
  return changeEach(context, change, options, [...ids]);
}

/** The service works on the requests of one caller at a time; more in flight gain nothing. */
const AT_ONCE = 8;

export async function changeEach(
  context: Context,
  change: Change,
  { reason, force }: Pick<ChangeOptions, 'reason' | 'force'>,
  ids: readonly string[],
): Promise<undefined> {
  const outcomes: Outcome[] = [];
  const waiting = [...ids];
  let stoppedBy: unknown = null;
  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      outcomes.push(await changeOne(context, change, { account_id: id, reason, ...(force && { force }) }));
      context.progress(`${outcomes.length} of ${ids.length} …`);
    }
  };
  const workUntilStopped = (): Promise<void> =>
    work().catch((error: unknown) => {
      stoppedBy ??= error;
      waiting.length = 0;
    });
  await Promise.all(Array.from({ length: AT_ONCE }, workUntilStopped));
  context.progress(null);
  const order = new Map(ids.map((id, at) => [id, at]));
  outcomes.sort((a, b) => (order.get(a.account_id) ?? 0) - (order.get(b.account_id) ?? 0));
  if (outcomes.length > 0 || stoppedBy === null) printEntries(context, outcomes, COLUMNS);
  if (stoppedBy !== null) throw tellStopped(stoppedBy, outcomes.length, ids.length);
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return undefined;
  const [first] = failed;
  throw partlyDone(
    ids.length === 1
      ? (first?.reason ?? '')
      : `${tellCount(failed.length, 'account')} of ${ids.length} could not be ${change.participle}`,
  );
}

/** Some were changed before the work had to stop. */
function tellStopped(error: unknown, done: number, all: number): unknown {
  if (!(error instanceof CommandError) || done === 0) return error;
  return partlyDone(`${done} of ${all} were worked on, then: ${error.message}`);
}

async function changeOne(
  { client }: Context,
  { operation, fields }: Change,
  body: { account_id: string } & Fields,
): Promise<Outcome> {
  const { account_id: id } = body;
  try {
    const reply = (await client.ask(operation, { ...fields, ...body })) as Record<string, unknown>;
    const isUnchanged = reply.changed === false || reply.released === false;
    return { ...reply, account_id: id, outcome: isUnchanged ? 'unchanged' : 'changed' };
  } catch (error) {
    // Where the service is away, or the caller has no right, it is so for every account.
    if (!(error instanceof CommandError) || error.exit !== EXIT.refused) throw error;
    return { account_id: id, outcome: 'failed', code: error.code ?? undefined, reason: error.message };
  }
}

const COLUMNS: TextColumn<Outcome>[] = [
  ['ACCOUNT', ({ account_id: id }) => id],
  ['OUTCOME', ({ outcome }) => outcome],
  ['BEFORE', (outcome) => tellFirst(outcome, ['previous_status', 'released_from'])],
  ['NOW', (outcome) => tellFirst(outcome, ['status', 'released_at', 'removed_at'])],
  ['WHY NOT', ({ reason }) => reason ?? ''],
];

const tellFirst = (outcome: Outcome, fields: readonly string[]): string =>
  fields.map((field) => outcome[field]).find((value) => typeof value === 'string') ?? '';

/** Tells how each account stands, or what the service would do. */
async function tryOut(context: Context, change: Change, ids: readonly string[]): Promise<undefined> {
  const { client, say } = context;
  if (change.bulk === null) {
    const states: Fact[] = [];
    for (const id of ids) {
      const { health } = await client.ask('query.health', { account_id: id });
      states.push({ account_id: id, status: health.status, leased_by: health.metadata.locked_by });
    }
    printEntries(context, states, FACTS);
  } else {
    const filter = { account_ids: ids };
    const reply = await client.ask('admin.bulk', { filter, action: change.bulk, reason: 'dry run', dry_run: true });
    const { matched, changed, unchanged, failed } = reply;
    printEntries(
      context,
      [{ matched, changed, unchanged, failed }],
      [
        ['MATCHED', (counts) => String(counts.matched)],
        ['WOULD CHANGE', (counts) => String(counts.changed)],
        ['UNCHANGED', (counts) => String(counts.unchanged)],
        ['WOULD FAIL', (counts) => String(counts.failed.length)],
      ],
    );
  }
  say('A dry run: nothing was changed.');
  return undefined;
}

interface Fact {
  account_id: string;
  status: string;
  leased_by: string | null;
}
const FACTS: TextColumn<Fact>[] = [
  ['ACCOUNT', ({ account_id: id }) => id],
  ['STATUS', ({ status }) => status],
  ['LEASED BY', ({ leased_by: service }) => service ?? ''],
];
