import type { ReplyBody } from '../../../contracts/operations.js';
import type { Context } from '../context.js';
import { CommandError, EXIT, usageError } from '../exit.js';
import { tellCount } from '../terminal/words.js';

/** An account as `query.accounts` tells of it. */
export type AccountEntry = ReplyBody<'query.accounts'>['accounts'][number];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PHONE = /^\+?[\d\s().-]{5,}$/;
/** The service looks for no shorter piece. */
const MIN_PIECE = 4;

/** The id of the account that an id, the beginning of one or a phone number names. */
export async function findAccount(context: Context, given: string): Promise<string> {
  return UUID.test(given) ? given.toLowerCase() : (await loadAccount(context, given)).account_id;
}

/** The account that an id, the beginning of one or a phone number names; refuses where it is none, or several. */
export async function loadAccount({ client }: Context, given: string): Promise<AccountEntry> {
  const wanted = given.trim();
  if (wanted.length < MIN_PIECE)
    throw usageError(`"${given}" must be an account id, 4 letters of one, or a phone number`);
  const fields = { search: toSearched(wanted), limit: 500 };
  const { accounts } = await client.ask('query.accounts', fields);
  const found = accounts.filter((account) => isNamed(account, wanted));
  const [only] = found;
  if (only === undefined) throw new CommandError(EXIT.refused, `there is no account ${given}`, 'ACCOUNT_NOT_FOUND');
  if (found.length === 1) return only;
  const listed = found
    .slice(0, 5)
    .map(({ account_id: id, phone, user_id: user }) => `${id} (${phone ?? 'no phone'}, user ${user})`);
  throw usageError(
    `${tellCount(found.length, 'account')} fit ${given}: ${listed.join(', ')}${found.length > 5 ? ', …' : ''}`,
  );
}

const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');

const toSearched = (wanted: string): string => (PHONE.test(wanted) ? digitsOf(wanted) : wanted);

/** A whole phone number, with its plus or without, or the beginning of an id; the service finds more than that. */
function isNamed({ account_id: id, phone }: AccountEntry, wanted: string): boolean {
  if (PHONE.test(wanted) && phone !== null && digitsOf(phone) === digitsOf(wanted)) return true;
  return id.startsWith(wanted.toLowerCase());
}
