import { createHash } from 'node:crypto';
import { URL } from 'node:url';
import pg from 'pg';
import { MIGRATIONS, migrate, readMigrations } from '../../scripts/migrate.mjs';

/**
 * Makes the migrated database that tests copy. Its name tells the migrations, so that an edited one makes a new template.
 * @param {string} serverUrl
 * @param {string} [directory] of the migrations
 * @returns {Promise<string>} its name
 */
export async function prepareTemplate(serverUrl, directory = MIGRATIONS) {
  const migrations = await readMigrations(directory);
  const hash = createHash('sha256').update(migrations.map(({ name, checksum }) => `${name} ${checksum}\n`).join(''));
  const name = `template_${hash.digest('hex').slice(0, 16)}`;
  const unfinished = `${name}_new`;
  const admin = new pg.Client({ connectionString: databaseUrl(serverUrl, 'postgres') });
  await admin.connect();
  try {
    await admin.query("SELECT pg_advisory_lock(hashtext('template'))");
    const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) {
      await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
      await migrate(databaseUrl(serverUrl, unfinished), { directory });
      await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`);
    }
  } finally {
    await admin.end();
  }
  return name;
}

/**
 * @param {string} serverUrl
 * @param {string} name
 * @returns {string} the URL of another database on the same server
 */
export function databaseUrl(serverUrl, name) {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
