import type { Command } from 'commander';
import { PURPOSES, type Purpose } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { explainInWords } from '../../decide/selection/explain-account.js';
import type { Tie } from '../command.js';
import type { Context } from '../context.js';
import { usageError } from '../exit.js';
import { choice } from '../options.js';
import { printOne } from '../output.js';
import { tellInstant, tellWhen } from '../terminal/words.js';
import { type AccountEntry, loadAccount } from './find-account.js';

type Explanation = ReplyBody<'query.explain'>['accounts'][number];

/** Whether an account can be granted for a purpose, and why. */
interface Answer {
  purpose: Purpose;
  grantable: boolean;
  /** Null: it is grantable, or waiting does not help. */
  grantable_at: string | null;
  summary: string;
  rules: Explanation['rules'];
}

interface Options {
  purpose?: Purpose;
  channel?: string;
  request?: string;
}

export function defineWhy(noun: Command, tie: Tie): void {
  const why = noun
    .command('why')
    .description('in plain words, why an account is not handed out and when it will be')
    .argument('[account]', 'id, its beginning, or phone number')
    .addOption(choice('--purpose <purpose>', 'for this purpose; without it for each', PURPOSES))
    .option('--channel <channel>', 'by the limits in this channel too')
    .option('--request <id>', 'instead: why the allocation of this request id was answered as it was');
  tie(why, tellWhy);
}

async function tellWhy(context: Context, options: Options, given?: string): Promise<undefined> {
  const { request, purpose, channel } = options;
  if ((given === undefined) === (request === undefined)) throw usageError('name an account, or a request by --request');
  if (request !== undefined) return explainRequest(context, request);
  const account = await loadAccount(context, given ?? '');
  const purposes = purpose === undefined ? PURPOSES : [purpose];
  const answers = await Promise.all(purposes.map((one) => explain(context, account, one, channel)));
  const { account_id: id, phone, user_id: user, status } = account;
  printOne(context, { account_id: id, phone, user_id: user, status, answers }, () =>
    [
      `${context.paint('strong', phone ?? id)} (${phone === null ? '' : `${id}, `}user ${user})`,
      ...tellAnswers(context, answers),
    ].join('\n'),
  );
  return undefined;
}

async function explain(context: Context, account: AccountEntry, purpose: Purpose, channel?: string): Promise<Answer> {
  const { client } = context;
  const { account_id: id, user_id: user } = account;
  const wish = { user_id: user, purpose, target_channel_id: channel };
  const { accounts } = await client.ask('query.explain', wish);
  const found = accounts.find((one) => one.account_id === id);
  if (found !== undefined) {
    const { grantable, grantable_at, summary, rules } = found;
    return { purpose, grantable, grantable_at, summary, rules };
  }
  // A user may have more accounts than are explained at a time.
  const page = await client.ask('query.accounts', { ...wish, search: id });
  return judgeByList(page.accounts.find((one) => one.account_id === id) ?? account, purpose, context.now());
}

function judgeByList(account: AccountEntry, purpose: Purpose, now: number): Answer {
  const { is_available: grantable, available_at: at, restricted_by: by } = account;
  const instant = (text: string | null): number | null => (text === null ? null : Date.parse(text));
  const summary = explainInWords(
    {
      purpose,
      status: account.status,
      disabledReason: account.disabled_reason,
      recoversAt: instant(account.recovery_at),
      leasedBy: account.leased_by,
      leasedUntil: instant(account.leased_until),
      restriction:
        by === null ? null : { errorClass: by.classified_as, telegramError: by.telegram_error, reason: by.reason },
      failing: null,
      grantable,
    },
    now,
  );
  return { purpose, grantable, grantable_at: at, summary, rules: [] };
}

/** One sentence where it is the same for every purpose; else one for each. */
function tellAnswers({ now }: Context, answers: readonly Answer[]): string[] {
  const tell = ({ summary, grantable, grantable_at: at }: Answer): string =>
    grantable || at === null
      ? `${summary}${grantable ? '' : ' It will not be handed out by itself.'}`
      : `${summary} It can be handed out from ${tellInstant(at)} on (${tellWhen(at, now())}).`;
  const [first] = answers;
  if (first === undefined) return [];
  if (answers.every((answer) => !answer.grantable && tell(answer) === tell(first))) return [tell(first)];
  if (answers.length > 1 && answers.every(({ grantable }) => grantable)) {
    return ['Free, and can be granted for every purpose now.'];
  }
  return answers.map((answer) => `${answer.purpose}: ${tell(answer)}`);
}

async function explainRequest(context: Context, requestId: string): Promise<undefined> {
  const reply = await context.client.ask('query.explain', { request_id: requestId });
  printOne(context, reply, () =>
    [
      `As of ${tellInstant(reply.explained_at)}:`,
      ...reply.accounts.map(({ account_id: id, phone, summary }) => `${phone ?? id}: ${summary}`),
    ].join('\n'),
  );
  return undefined;
}
