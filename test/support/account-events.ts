import type { OperationsHarness } from './operations.js';

export interface AccountEvent {
  type: string;
  data: Record<string, unknown>;
}

/** The events of an account in their order, without those of its registration. */
export const eventsOf = async ({ query }: OperationsHarness, accountId: string): Promise<AccountEvent[]> =>
  query(`SELECT type, data FROM events WHERE account_id = $1 AND type <> 'account.registered' ORDER BY sequence`, [
    accountId,
  ]);
