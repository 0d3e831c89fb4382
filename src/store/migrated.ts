import { readdirSync } from 'node:fs';
import { StartError } from '../decide/start/start-error.js';
import type { Sql } from './database.js';

/** The build puts a copy beside its output. */
const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url);

/**
 * Rejects with `StartError` where the database lacks migrations that this program comes with, naming the first and what to
 * do. Answers those that it has beyond them: a newer program has migrated it.
 */
export async function assertMigrated(sql: Sql): Promise<string[]> {
  const shipped = readdirSync(MIGRATIONS, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const applied = await loadApplied(sql);
  const [missing, ...others] = shipped.sort().filter((name) => !applied.has(name));
  if (missing === undefined) return [...applied.keys()].filter((name) => !shipped.includes(name));
  if (applied.size === 0) throw new StartError('the database has not been migrated: run `npm run migrate`');
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  throw new StartError(`the database is older than this program (${missing}${more} missing): run \`npm run migrate\``);
}

/** Migrations begun and not rolled back, by name; one that has failed is in the way of all others. */
async function loadApplied(sql: Sql): Promise<Map<string, Date>> {
  const [table] = await sql.$queryRaw<
    { there: boolean }[]
  >`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`;
  if (table?.there !== true) return new Map();
  const rows = await sql.$queryRaw<{ name: string; finished_at: Date | null }[]>`
    SELECT migration_name AS name, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL`;
  const failed = rows.find(({ finished_at }) => finished_at === null);
  if (failed !== undefined) {
    throw new StartError(
      `migration ${failed.name} of the database has not been finished: run \`npm run migrate\`, which says what to do`,
    );
  }
  return new Map(rows.flatMap(({ name, finished_at }) => (finished_at === null ? [] : [[name, finished_at]])));
}
