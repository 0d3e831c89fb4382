import pg from 'pg';
import { CommandError, EXIT } from '../exit.js';
import type { Rows } from './source-row.js';

const PAGE = 500;
const CONNECT_MS = 10_000;

/** As text, so that a time without a zone is not read in this machine's. */
const TEXT_TYPES: ReadonlySet<number> = new Set([
  pg.types.builtins.TIMESTAMP,
  pg.types.builtins.TIMESTAMPTZ,
  pg.types.builtins.DATE,
]);

/** The rows of `telegram_sessions` in the predecessor's own database, which is only read, all as of one moment. */
export async function* readDatabase(url: string): Rows {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    types: {
      getTypeParser: (oid, format) =>
        TEXT_TYPES.has(oid) ? (value: string) => value : (pg.types.getTypeParser(oid, format) as never),
    },
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query('DECLARE accounts NO SCROLL CURSOR FOR SELECT * FROM telegram_sessions ORDER BY id');
    for (;;) {
      const { rows } = await client.query<Record<string, unknown>>(`FETCH ${PAGE} FROM accounts`);
      if (rows.length === 0) return;
      for (const fields of rows) yield { place: `telegram_sessions ${String(fields['id'])}`, fields };
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined) throw error;
    throw new CommandError(EXIT.unreachable, `the database cannot be read (${code}: ${message})`);
  } finally {
    await client.end().catch(() => undefined);
  }
}
