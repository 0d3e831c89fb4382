import pg from 'pg';
import { TRACEPARENT } from '../../contracts/envelope.js';
import { Prisma } from '../../generated/prisma/client.js';
import { nameStatement } from './name-statement.js';

/** Part of a statement. */
export type SqlPart = Prisma.Sql;

/** Runs statements, as Prisma does: inside a transaction or, with Prisma's client itself, outside. */
export interface Sql {
  $queryRaw<T>(query: TemplateStringsArray | SqlPart, ...values: unknown[]): Promise<T>;
  /** Answers how many rows were affected. */
  $executeRaw(query: TemplateStringsArray | SqlPart, ...values: unknown[]): Promise<number>;
}

export interface TransactionSql extends Sql {
  /** Leaves a statement to be sent together with the commit, at most one; its failure is the transaction's. */
  sendWithCommit(statement: SqlPart): void;
}

/**
 * Statements are planned once per connection, whatever their values: weighing them anew took a third of the
 * database's time for a batch of one. That every plan of a batch keeps to its indexes is held by a test.
 */
const BEGIN = 'BEGIN; SET LOCAL plan_cache_mode = force_generic_plan';

/**
 * Names the traces that a transaction is of, as https://google.github.io/sqlcommenter has it. The comment stands behind
 * the last statement: inside of one it would give PostgreSQL's statistics a row for every trace.
 */
const nameTraces = (traceparents: readonly (string | null)[]): string | null => {
  const known = [...new Set(traceparents)].filter((one) => one !== null && TRACEPARENT.test(one));
  return known.length === 0 ? null : `/*${known.map((one) => `traceparent='${one}'`).join(',')}*/`;
};

const begin = ({ traceparents = [], lockWaitMs }: TransactionOptions): string => {
  const start = lockWaitMs === undefined ? BEGIN : `${BEGIN}; SET LOCAL lock_timeout = ${lockWaitMs}`;
  const traces = nameTraces(traceparents);
  return traces === null ? start : `${start}; ${traces}`;
};

export interface TransactionOptions {
  /** Traces of the requests in it, for PostgreSQL's log. */
  traceparents?: readonly (string | null)[];
  /** How long a statement waits for a lock, whole milliseconds; the session's own time where it is left out. */
  lockWaitMs?: number | undefined;
}

/** The commit itself was not answered, or not as hoped: where the connection was lost, the transaction may stand or not. */
export class CommitFailed extends Error {
  constructor(cause: unknown) {
    super('the commit failed', { cause });
    this.name = 'CommitFailed';
  }
}

/** The server says that the statement has failed, and goes on. */
const isRolledBack = (error: unknown): boolean => error instanceof pg.DatabaseError && error.severity === 'ERROR';

/** Runs one statement that commits by itself, and answers its first row. */
export async function runAlone<T>(
  pool: pg.Pool,
  { text, values }: SqlPart,
  onConnectionError: (error: Error) => void,
  traceparents: readonly (string | null)[],
): Promise<T> {
  const client = await pool.connect();
  client.on('error', onConnectionError);
  let isUsable = false;
  try {
    const traces = nameTraces(traceparents);
    const [{ rows }] = await Promise.all([
      client.query({ name: nameStatement(text), text, values }),
      traces === null ? null : client.query(traces),
    ]);
    isUsable = true;
    return rows[0] as T;
  } catch (error) {
    isUsable = isRolledBack(error);
    throw isUsable ? error : new CommitFailed(error);
  } finally {
    client.removeListener('error', onConnectionError);
    client.release(!isUsable);
  }
}

/**
 * Runs work in one transaction on a connection of the pool that Prisma's client shares. Prisma's own transactions await
 * BEGIN and COMMIT by themselves and cost 2 ms of a processor for four statements, where the driver costs a quarter of
 * that (2026-11-22); a batch makes five. Here statements are sent in the order they are made without waiting for those
 * before: BEGIN travels with the first, COMMIT with the last.
 */
export async function runTransaction<T>(
  pool: pg.Pool,
  work: (sql: TransactionSql) => Promise<T>,
  onConnectionError: (error: Error) => void,
  options: TransactionOptions = {},
): Promise<T> {
  const client = await pool.connect();
  client.on('error', onConnectionError);
  let isUsable = true;
  try {
    // Nothing is taken for done before it has succeeded: whatever waits for a statement waits for this as well.
    const begun = client.query(begin(options));
    begun.catch(() => undefined);
    const run = async (query: TemplateStringsArray | SqlPart, values: unknown[]) => {
      const { text, values: parameters } = query instanceof Prisma.Sql ? query : Prisma.sql(query, ...values);
      const [result] = await Promise.all([
        client.query({ name: nameStatement(text), text, values: parameters }),
        begun,
      ]);
      return result;
    };
    const last: SqlPart[] = [];
    const result = await work({
      $queryRaw: async <R>(query: TemplateStringsArray | SqlPart, ...values: unknown[]) =>
        (await run(query, values)).rows as R,
      $executeRaw: async (query, ...values) => (await run(query, values)).rowCount ?? 0,
      sendWithCommit: (statement) => {
        if (last.length > 0) throw new Error('one statement is left to the commit already');
        last.push(statement);
      },
    });
    const [written, committed] = await Promise.allSettled([
      Promise.all(last.map((statement) => run(statement, []))),
      client.query('COMMIT'),
    ]);
    if (committed.status === 'rejected') throw new CommitFailed(committed.reason);
    // Behind a statement that has failed COMMIT rolls back, and is content.
    if (written.status === 'rejected') throw written.reason;
    if (committed.value.command !== 'COMMIT') throw new Error('a statement had failed, and the work went on');
    return result;
  } catch (error) {
    isUsable = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    throw error;
  } finally {
    client.removeListener('error', onConnectionError);
    client.release(!isUsable);
  }
}
