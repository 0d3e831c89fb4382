import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { testServers } from './servers.js';
import { databaseUrl } from './template.js';

export interface TestDatabase {
  url: string;
  /** Removes it, closing whatever is still connected. */
  drop: () => Promise<void>;
}

/** A migrated, empty database of the caller's own: a copy of the template. */
export async function createDatabase(): Promise<TestDatabase> {
  const { databaseUrl: serverUrl, template } = testServers();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: databaseUrl(serverUrl, name),
    drop: () => administer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/**
 * Connections for a test's own look at a database. A pool counts as ended before its last connection is closed, so what
 * closes that one (the drop of its database, a restart of the server) must have somebody to be told to.
 */
export function openPool(url: string, options?: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2, options });
  pool.on('error', () => undefined);
  return pool;
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(serverUrl, 'postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
