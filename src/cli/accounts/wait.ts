import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { ACCOUNT_STATUSES } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { toLength } from '../options.js';
import { printFacts } from '../output.js';
import { tellLength, tellWhen } from '../terminal/words.js';
import { findAccount } from './find-account.js';

type Health = ReplyBody<'query.health'>['health'];

/** The condition that is waited for. */
interface Condition {
  text: string;
  isMet: (health: Health) => boolean;
}

interface Options {
  for: Condition;
  /** Milliseconds; absent: without end. */
  timeout?: number;
}

const LEASED: Readonly<Record<string, boolean>> = { 'leased=true': true, 'leased=false': false };

function toCondition(text: string): Condition {
  const status = ACCOUNT_STATUSES.find((one) => text === `status=${one}`);
  if (status !== undefined) return { text, isMet: (health) => health.status === status };
  const isLeased = LEASED[text];
  if (isLeased !== undefined) return { text, isMet: ({ metadata }) => (metadata.locked_by !== null) === isLeased };
  throw new InvalidArgumentError(
    `It must be status= and one of ${ACCOUNT_STATUSES.join(', ')}, or leased=true or leased=false.`,
  );
}

/** Both `wait` and `accounts wait`. */
export function defineWait(parent: Command, tie: Tie): void {
  const wait = parent
    .command('wait')
    .description('wait until an account is in a condition, such as status=active')
    .argument('<account>', 'id, its beginning, or phone number')
    .requiredOption('--for <condition>', 'status=… or leased=true or leased=false', toCondition)
    .option('--timeout <length>', 'give up after so long, such as 10m; without it never', toLength);
  tie(wait, waitFor);
}

/** A condition that has come about is seen within so long. */
const LOOK_EVERY_MS = 1_000;
const LOOK_FIRST_MS = 200;

async function waitFor(context: Context, { for: condition, timeout }: Options, given: string): Promise<undefined> {
  const { client, now, signal, progress } = context;
  const accountId = await findAccount(context, given);
  const startedAt = now();
  const endsAt = timeout === undefined ? Number.POSITIVE_INFINITY : startedAt + timeout;
  let health: Health;
  for (let looked = 1; ; looked++) {
    const ask = () => client.ask('query.health', { account_id: accountId });
    ({ health } = looked === 1 ? await ask() : await askPatiently(context, ask, endsAt));
    if (condition.isMet(health)) break;
    const { status, recovery_eta: eta } = health;
    const left = endsAt - now();
    if (left <= 0) {
      throw new CommandError(
        EXIT.refused,
        `${accountId} is ${status} after ${tellLength(now() - startedAt)}, not ${condition.text}`,
      );
    }
    progress(`${accountId} is ${status}${eta === null ? '' : `, recovers ${tellWhen(eta, now())}`} …`);
    await pause(Math.min(left, looked < 5 ? LOOK_FIRST_MS : LOOK_EVERY_MS), null, { signal });
  }
  progress(null);
  const { status, metadata } = health;
  printFacts(context, { account_id: accountId, status, leased_by: metadata.locked_by }, [
    ['account', accountId],
    ['status', status],
    ['leased by', metadata.locked_by ?? ''],
  ]);
}

/** Looks in a row without an answer. */
const MAX_FAILED = 30;

/** A service that is restarted, or away for a moment, ends no wait. */
async function askPatiently<T>({ signal, now, progress }: Context, ask: () => Promise<T>, endsAt: number): Promise<T> {
  for (let failed = 0; ; failed++) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof CommandError && error.exit === EXIT.unreachable;
      if (!isAway || failed >= MAX_FAILED || now() >= endsAt) throw error;
      progress(`${error.message} …`);
      await pause(LOOK_EVERY_MS, null, { signal });
    }
  }
}
