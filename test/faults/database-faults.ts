import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Fault, longWhile, shortWhile } from './fault.js';
import { DATABASE_USER, type World } from './world.js';

const SERVICE_SESSIONS = `usename = '${DATABASE_USER}'`;
/** Longer than a statement may take. */
const SLOW_QUERY_MS = 12_000;

const setting = async (world: World, change: string): Promise<void> => {
  await world.query(`ALTER SYSTEM ${change}`);
  await world.query('SELECT pg_reload_conf()');
};
const terminateSessions = async (world: World): Promise<number> =>
  (await world.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${SERVICE_SESSIONS}`)).length;

/** Takes every byte of the disk that is left; gives them back. */
function fillDisk(folder: string): () => void {
  const file = path.join(folder, 'ballast');
  const descriptor = openSync(file, 'w');
  const chunk = Buffer.alloc(1_024 * 1_024);
  try {
    for (;;) writeSync(descriptor, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(file);
}

/** More than are ever kept for their turn. */
const MOST_WAL_FILES = 50;
/** Writes on until the next file is wanted, for nobody notices a full disk before; answers whether somebody did. */
async function useUpWalFiles(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (let files = 0; files < MOST_WAL_FILES; files++)
      await client.query(`SELECT pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()`);
    return false;
  } catch {
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export const DATABASE_FAULTS = {
  'PostgreSQL restarted at once': async ({ world, random, injected }) => {
    injected();
    await world.postgres.crash();
    await shortWhile(random);
    await world.postgres.start();
  },
  'PostgreSQL sessions terminated': async ({ world, random, injected }) => {
    for (let times = 3; times > 0; times--) {
      injected(await terminateSessions(world));
      await shortWhile(random);
    }
  },
  'PostgreSQL read-only': async ({ world, random, injected }) => {
    await setting(world, 'SET default_transaction_read_only = on');
    injected();
    await shortWhile(random);
    await setting(world, 'RESET default_transaction_read_only');
  },
  'PostgreSQL out of connections': async ({ world, random, injected }) => {
    await world.query(`ALTER ROLE ${DATABASE_USER} CONNECTION LIMIT 3`);
    injected(await terminateSessions(world));
    await shortWhile(random);
    await shortWhile(random);
    await world.query(`ALTER ROLE ${DATABASE_USER} CONNECTION LIMIT -1`);
  },
  'PostgreSQL disk full': async ({ world, random, injected, report }) => {
    if (!world.hasDiskOfItsOwn) throw new Error('this needs a small disk, which only root can mount (tmpfs)');
    const empty = fillDisk(world.postgres.folder);
    injected();
    try {
      await shortWhile(random);
      const isNoticed = await useUpWalFiles(world.postgres.urls.DATABASE_URL ?? '');
      if (!isNoticed) report('nobody noticed that the disk was full');
      await shortWhile(random);
    } finally {
      empty();
    }
    await world.postgres.mend();
  },
  'a slow query holds the accounts': async ({ world, injected }) => {
    const client = new pg.Client({ connectionString: world.postgres.urls.DATABASE_URL });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query('LOCK TABLE telegram_sessions IN EXCLUSIVE MODE');
      injected();
      await pause(SLOW_QUERY_MS);
    } finally {
      await client.end();
    }
  },
  'PostgreSQL hangs': async ({ world, random, injected }) => {
    world.postgres.pause();
    injected();
    await shortWhile(random);
    world.postgres.resume();
  },
  'network to PostgreSQL cut': async ({ world, random, injected }) => {
    injected();
    await world.databaseNet.cut();
    await shortWhile(random);
    await world.databaseNet.heal();
  },
  'network to PostgreSQL swallows': async ({ world, random, injected }) => {
    injected();
    world.databaseNet.blackhole();
    await longWhile(random);
    await world.databaseNet.heal();
  },
  'network to PostgreSQL swallows what comes back': async ({ world, random, injected }) => {
    injected();
    world.databaseNet.loseReplies();
    await shortWhile(random);
    await world.databaseNet.heal();
  },
  'connections to PostgreSQL forgotten': ({ world, injected }) => {
    injected();
    world.databaseNet.forget();
    return Promise.resolve();
  },
} as const satisfies Record<string, Fault>;
