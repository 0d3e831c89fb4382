import type { ReplyBody } from '../../../contracts/operations.js';
import type { Client } from '../client.js';
import type { ImportedAccount } from './to-account.js';

type Registered = ReplyBody<'admin.register'>['accounts'][number];

/** An account on its way, and where its source has it. */
export interface Outgoing {
  place: string;
  account: ImportedAccount;
  /** Decisions where the source leaves something open. */
  notes: string[];
}

/** Small, so that other callers' requests get their turn in between. */
const MAX_ACCOUNTS = 200;
/** A request may have 4 MiB (contract, section 2). */
const MAX_BYTES = 3_500_000;
const AT_ONCE = 2;

/**
 * Registers accounts in requests of some hundred, and tells each account's outcome. Accounts sent before a rejection
 * stay registered; an account that is sent again is updated, so that an import can be repeated.
 */
export async function sendAccounts(
  client: Client,
  accounts: AsyncIterable<Outgoing>,
  onOutcome: (sent: Outgoing, outcome: Registered) => void,
): Promise<void> {
  const parts = toParts(accounts)[Symbol.asyncIterator]();
  const work = async (): Promise<void> => {
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
      const part = next.value;
      const reply = await client.ask('admin.register', { accounts: part.map(({ account }) => account) });
      for (const outcome of reply.accounts) {
        const sent = part[outcome.index];
        if (sent !== undefined) onOutcome(sent, outcome);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function* toParts(accounts: AsyncIterable<Outgoing>): AsyncGenerator<Outgoing[]> {
  let part: Outgoing[] = [];
  let bytes = 0;
  for await (const outgoing of accounts) {
    const size = Buffer.byteLength(JSON.stringify(outgoing.account)) + 1;
    if (part.length === MAX_ACCOUNTS || (part.length > 0 && bytes + size > MAX_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(outgoing);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
