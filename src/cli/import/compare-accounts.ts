import type { Client } from '../client.js';
import type { AccountEntry as Known } from '../accounts/find-account.js';
import type { Outgoing } from './send-accounts.js';
import type { RowOutcome } from './tally.js';
import type { ImportedAccount } from './to-account.js';

const PAGE = 500;

/** Tells what registering would change, by what the service tells of its accounts. Sessions are not compared. */
export async function* compareAccounts(client: Client, accounts: AsyncIterable<Outgoing>): AsyncGenerator<RowOutcome> {
  const known = new Map<number, Map<string, Known>>();
  for await (const { place, account, notes } of accounts) {
    let ofUser = known.get(account.user_id);
    if (ofUser === undefined) {
      ofUser = await loadByName(client, account.user_id);
      known.set(account.user_id, ofUser);
    }
    const found = ofUser.get(digitsOf(account.phone)) ?? ofUser.get(account.account_id ?? '');
    const changes = found === undefined ? [] : [...differences(found, account)];
    yield {
      place,
      outcome: found === undefined ? 'created' : changes.length > 0 ? 'updated' : 'unchanged',
      account_id: found?.account_id ?? null,
      field: null,
      reason: null,
      notes: [...notes, ...changes],
    };
  }
}

/** A user's accounts by id, and by the digits of their phone numbers. */
async function loadByName(client: Client, userId: number): Promise<Map<string, Known>> {
  const byName = new Map<string, Known>();
  let cursor: string | null | undefined;
  do {
    const page = await client.ask('query.accounts', { user_id: userId, limit: PAGE, cursor });
    for (const account of page.accounts) {
      byName.set(account.account_id, account);
      if (account.phone !== null) byName.set(digitsOf(account.phone), account);
    }
    cursor = page.next_cursor;
  } while (cursor !== null);
  return byName;
}

/** Never an empty name, which would find the account without a number. */
const digitsOf = (phone: string | undefined): string => phone?.replaceAll(/\D/g, '') || 'none';

function* differences(known: Known, { status, ...given }: ImportedAccount): Generator<string> {
  if (status !== undefined && status !== known.status) yield `status: ${known.status}, there ${status}`;
  for (const field of ['flood_wait_until', 'blocked_until'] as const) {
    const [here, there] = [known[field] ?? null, given[field] ?? null];
    if (there !== null && (here === null || Date.parse(here) < Date.parse(there))) {
      yield `${field}: ${here ?? 'none'}, there ${there}`;
    }
  }
}
