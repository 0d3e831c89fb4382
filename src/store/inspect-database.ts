import { Prisma } from '../../generated/prisma/client.js';
import { clock } from '../clock.js';
import type { DatabaseFacts } from '../decide/doctor/judge-database.js';
import type { Sql } from './database.js';
import { loadOutboxState } from './fleet/fleet-state.js';
import { countSessionKeys } from './sessions/session-keys.js';

/** A migration as its file has it. */
export interface KnownMigration {
  name: string;
  /** SHA-256 of its SQL, hexadecimal. */
  checksum: string;
}

const SETTINGS = [
  'autovacuum',
  'autovacuum_naptime',
  'fsync',
  'full_page_writes',
  'max_connections',
  'server_encoding',
  'server_version_num',
  'synchronous_commit',
  'track_counts',
];
/** Fewer dead rows, or a smaller share, are what autovacuum leaves between two rounds. */
const BLOATED_ROWS = 100_000;
const NO_TABLES = { outbox: { pending: 0, oldestAgeSeconds: 0 }, sessionKeys: [], missingRights: [] };

/** Looks at PostgreSQL, and changes nothing. `keyIds`: of the keys that are configured. */
export async function inspectDatabase(
  sql: Sql,
  { known, keyIds }: { known: readonly KnownMigration[]; keyIds: readonly string[] },
): Promise<DatabaseFacts> {
  const [settings, migrations] = await Promise.all([loadSettings(sql), loadMigrations(sql, known)]);
  const [activity, tables] = await Promise.all([loadActivity(sql), loadTables(sql)]);
  // Alone, so that nothing else makes its answer late.
  const now = await loadNow(sql);
  const isMigrated = migrations.missing.length === 0 && migrations.failed.length === 0;
  const own = isMigrated
    ? {
        outbox: await loadOutboxState(sql),
        sessionKeys: await countSessionKeys(sql, keyIds),
        missingRights: await loadMissingRights(sql),
      }
    : NO_TABLES;
  return {
    version: Number(settings.get('server_version_num')),
    encoding: settings.get('server_encoding') ?? '',
    settings,
    migrations,
    ...now,
    ...activity,
    ...tables,
    ...own,
  };
}

async function loadNow(sql: Sql): Promise<Pick<DatabaseFacts, 'clockSkewMs' | 'isReadOnly'>> {
  const askedAt = clock.now();
  const [row] = await sql.$queryRaw<{ now: Date; read_only: boolean }[]>`
    SELECT clock_timestamp() AS now, pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only`;
  if (row === undefined) throw new Error('PostgreSQL gave no row');
  const answeredAt = clock.now();
  return { clockSkewMs: row.now.getTime() - (askedAt + answeredAt) / 2, isReadOnly: row.read_only };
}

async function loadSettings(sql: Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.$queryRaw<{ name: string; setting: string }[]>`
    SELECT name, setting FROM pg_settings WHERE name = ANY(${SETTINGS}::text[])`;
  return new Map(rows.map(({ name, setting }) => [name, setting]));
}

async function loadMigrations(sql: Sql, known: readonly KnownMigration[]): Promise<DatabaseFacts['migrations']> {
  const [table] = await sql.$queryRaw<
    { there: boolean }[]
  >`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`;
  const rows =
    table?.there === true
      ? await sql.$queryRaw<{ name: string; checksum: string; finished: boolean }[]>`
          SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
          FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY 1`
      : [];
  const applied = new Map(rows.map((row) => [row.name, row]));
  const names = new Set(known.map(({ name }) => name));
  return {
    missing: known.filter(({ name }) => !applied.has(name)).map(({ name }) => name),
    failed: rows.filter(({ finished }) => !finished).map(({ name }) => name),
    changed: known
      .filter(({ name, checksum }) => applied.get(name)?.finished === true && applied.get(name)?.checksum !== checksum)
      .map(({ name }) => name),
    foreign: rows.filter(({ name }) => !names.has(name)).map(({ name }) => name),
  };
}

async function loadActivity(
  sql: Sql,
): Promise<Pick<DatabaseFacts, 'connections' | 'oldestTransactionSeconds' | 'transactionAge'>> {
  const [row] = await sql.$queryRaw<{ connections: number; oldest: number; age: number }[]>`
    SELECT count(*)::integer AS connections,
      COALESCE(extract(epoch FROM max(clock_timestamp() - xact_start)
        FILTER (WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())), 0)::float8 AS oldest,
      (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database())::integer AS age
    FROM pg_stat_activity WHERE backend_type = 'client backend'`;
  return {
    connections: row?.connections ?? 0,
    oldestTransactionSeconds: row?.oldest ?? 0,
    transactionAge: row?.age ?? 0,
  };
}

async function loadTables(sql: Sql): Promise<Pick<DatabaseFacts, 'bloated' | 'withoutVacuum'>> {
  const [bloated, off] = await Promise.all([
    sql.$queryRaw<{ table: string; dead: number; live: number }[]>`
      SELECT relname::text AS table, n_dead_tup::float8 AS dead, n_live_tup::float8 AS live FROM pg_stat_user_tables
      WHERE n_dead_tup > ${BLOATED_ROWS} AND n_dead_tup > n_live_tup ORDER BY 1`,
    sql.$queryRaw<{ table: string }[]>`
      SELECT relname::text AS table FROM pg_class
      WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
        AND reloptions::text LIKE '%autovacuum_enabled=false%' ORDER BY 1`,
  ]);
  return { bloated, withoutVacuum: off.map(({ table }) => table) };
}

async function loadMissingRights(sql: Sql): Promise<string[]> {
  const rows = await sql.$queryRaw<{ missing: string }[]>`
    SELECT p.privilege || ' on ' || c.relname AS missing
    FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT']) AS p(privilege)
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
      AND c.relname <> ${Prisma.sql`'_prisma_migrations'`} AND NOT has_table_privilege(c.oid, p.privilege)
    ORDER BY 1`;
  return rows.map(({ missing }) => missing);
}
