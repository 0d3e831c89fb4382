import type { ReplyBody } from '../../../contracts/operations.js';
import type { Context } from '../context.js';
import { CommandError, EXIT } from '../exit.js';
import { partlyDone, printOne } from '../output.js';
import { toLines, toTable } from '../terminal/print.js';
import { tellCount } from '../terminal/words.js';
import type { Change, ChangeOptions } from './change.js';
import { changeEach } from './change-named.js';
import { tellFilter, toFields } from './filter.js';

type Reply = ReplyBody<'admin.bulk'>;

/**
 * Changes whatever matches a filter, once a person has agreed to how many these are. Where another number matches by
 * then, nothing is done.
 */
export async function changeFiltered(context: Context, change: Change, options: ChangeOptions): Promise<undefined> {
  // Bulk work knows no force.
  if (change.bulk === null || options.force) return changeListed(context, change, options);
  const { client, say } = context;
  const { reason, dryRun = false, yes = false, expectedCount } = options;
  const request = { filter: toFields(options), action: change.bulk, reason };
  const tried = await client.ask('admin.bulk', { ...request, dry_run: true, expected_count: expectedCount });
  if (dryRun) {
    print(context, tried);
    say('A dry run: nothing was changed.');
    return undefined;
  }
  const { matched } = tried;
  if (matched > 0) await context.confirm(toQuestion(change, options, matched), { yes });
  const done = matched === 0 ? tried : await client.ask('admin.bulk', { ...request, expected_count: matched });
  print(context, done);
  if (matched === 0) say('Nothing matches.');
  if (done.failed.length > 0) {
    throw partlyDone(`${tellCount(done.failed.length, 'account')} of ${matched} could not be ${change.participle}`);
  }
  return undefined;
}

const toQuestion = ({ imperative }: Change, options: ChangeOptions, count: number): string =>
  `${imperative} ${tellCount(count, 'account')} (${tellFilter(options)})?`;

function print(context: Context, { matched, changed, unchanged, failed }: Reply): void {
  const { paint } = context;
  printOne(context, { matched, changed, unchanged, failed }, () => {
    const counts = toLines(
      [
        ['matched', String(matched)],
        ['changed', String(changed)],
        ['unchanged', String(unchanged)],
        ['failed', String(failed.length)],
      ],
      paint,
    );
    const columns = [
      ['ACCOUNT', ({ account_id: id }: Reply['failed'][number]) => id],
      ['WHY NOT', ({ code }: Reply['failed'][number]) => code],
    ] as const;
    return failed.length === 0 ? counts : `${counts}\n\n${toTable(failed, columns, paint)}`;
  });
}

/** Lists what matches, then changes just these, one by one. */
async function changeListed(context: Context, change: Change, options: ChangeOptions): Promise<undefined> {
  const ids = await listIds(context, options);
  const { expectedCount, dryRun = false, yes = false } = options;
  if (expectedCount !== undefined && expectedCount !== ids.length) {
    throw new CommandError(
      EXIT.refused,
      `COUNT_CHANGED: ${tellCount(ids.length, 'account')} match, not ${expectedCount}`,
    );
  }
  if (dryRun) {
    const found = { matched: ids.length, account_ids: ids };
    printOne(context, found, () => [`matched  ${ids.length}`, ...ids].join('\n'));
    context.say('A dry run: nothing was changed.');
    return undefined;
  }
  if (ids.length === 0) {
    context.say('Nothing matches.');
    return changeEach(context, change, options, []);
  }
  await context.confirm(toQuestion(change, options, ids.length), { yes });
  return changeEach(context, change, options, ids);
}

async function listIds({ client, progress }: Context, options: ChangeOptions): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const fields = { ...toFields(options), limit: 500, cursor };
    const reply: ReplyBody<'query.accounts'> = await client.ask('query.accounts', fields);
    ids.push(...reply.accounts.map(({ account_id: id }) => id));
    cursor = reply.next_cursor;
    progress(`${tellCount(ids.length, 'account')} found …`);
  } while (cursor !== null);
  progress(null);
  return ids;
}
