import type { Sql } from './database.js';

/** Rejects where the database lacks the tables, naming what to do. */
export async function assertMigrated(sql: Sql): Promise<void> {
  const [row] = await sql.$queryRaw<{ there: boolean }[]>`SELECT to_regclass('telegram_sessions') IS NOT NULL AS there`;
  if (row?.there !== true) throw new Error('the database has not been migrated: run `npm run migrate` first');
}
