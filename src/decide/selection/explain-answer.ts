import type { FailureCode } from '../../../contracts/failures.js';
import type { Purpose } from '../../../contracts/fields.js';
import { clockTime } from './explain-account.js';

/** How an allocation was answered. Instants are epoch milliseconds. */
export type AllocationAnswer = {
  readonly purpose: Purpose;
} & (
  | {
      readonly code: null;
      readonly expiresAt: number;
      /** How many free accounts were considered. */
      readonly candidates: number;
      /** It is the account that was asked for. */
      readonly preferred: boolean;
    }
  | {
      readonly code: FailureCode;
      /** The user's accounts by what kept them back, such as `leased`; `total` is all of them. */
      readonly counts: Readonly<Record<string, number>>;
      /** When one was expected to be free; null: nobody knew. */
      readonly hopeAt: number | null;
      /** Why the preferred account could not be had. */
      readonly preferredReason: string | null;
      readonly message: string;
    }
);

/** Says in one sentence why an allocation was answered as it was. */
export function explainAnswer(answer: AllocationAnswer, now: number): string {
  if (answer.code === null) {
    const { candidates, preferred } = answer;
    const which = preferred
      ? 'the account that was asked for'
      : `the best of ${candidates} free account${candidates === 1 ? '' : 's'} that ${candidates === 1 ? 'was' : 'were'} considered`;
    return `Granted until ${clockTime(answer.expiresAt, now)} for ${answer.purpose}: ${which}.`;
  }
  const { code, purpose, preferredReason, hopeAt } = answer;
  const hope = hopeAt === null ? '' : `; one was expected from ${clockTime(hopeAt, now)} on`;
  const counts = listCounts(answer.counts);
  switch (code) {
    case 'NO_ACCOUNTS':
      return 'Refused, since the user had no account at all.';
    case 'ALL_BUSY':
      return `Refused, since every account that suits was leased${counts}${hope}.`;
    case 'ALL_LIMITED':
      return `Refused, since no free account had room for ${purpose}${counts}${hope}.`;
    case 'ALL_RESTRICTED':
      return `Refused, since every account was in a wait, blocked, draining or disabled${counts}${hope}.`;
    case 'PREFERRED_UNAVAILABLE':
      return `Refused, since the account that was asked for could not be had (${preferredReason ?? 'unknown'})${hope}.`;
    default:
      return `Refused with ${code}: ${answer.message}.`;
  }
}

/** ` (of 12 accounts: 10 leased, 2 disabled)`. */
function listCounts({ total, ...counts }: Readonly<Record<string, number>>): string {
  if (total === undefined) return '';
  const parts = Object.entries(counts)
    .filter(([, accounts]) => accounts > 0)
    .map(([name, accounts]) => `${accounts} ${name.replaceAll('_', ' ')}`);
  return ` (of ${total} account${total === 1 ? '' : 's'}${parts.length === 0 ? '' : `: ${parts.join(', ')}`})`;
}
