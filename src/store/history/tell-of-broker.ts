import { alertOf } from '../../decide/jobs/compare-alerts.js';
import { settleAlerts } from '../fleet/alerts.js';
import type { Database } from '../database.js';
import { loadAccountHeads } from '../accounts/load-account-heads.js';

/** An instance that is gone resolves nothing any more: the health scan does so after this. */
const STALE_MS = 5 * 60_000;

/** Raises, keeps or resolves the alert about what an instance finds wrong at the broker. */
export async function tellOfBroker(database: Database, instance: string, problems: readonly string[]): Promise<void> {
  const { now } = await loadAccountHeads(database.reader, []);
  const data = { problems, until: new Date(now + STALE_MS).toISOString() };
  const found = problems.length > 0 ? [alertOf('broker', instance, data)] : [];
  await settleAlerts(database, ['broker'], found, instance);
}
