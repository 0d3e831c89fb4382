import { execFile } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { eventually } from '../support/eventually.js';
import { type PrivateServer, startPrivateServer } from '../support/private-server.js';
import { telethonSession } from '../support/session-strings.js';
import type { Fault, FaultContext } from './fault.js';
import { forgetLocks } from './redis-faults.js';

const run = promisify(execFile);

/** A standby that follows by streaming replication, made as an operator would. */
async function startStandby(primary: PrivateServer): Promise<PrivateServer> {
  const bin = await queryOn<{ setting: string }>(primary, `SELECT setting FROM pg_config WHERE name = 'BINDIR'`);
  const { uid, gid } = statSync(path.join(primary.folder, 'data'));
  const standby = await startPrivateServer('postgres', async (folder) => {
    const command = path.join(bin[0]?.setting ?? '', 'pg_basebackup');
    const connection = ['-h', '127.0.0.1', '-p', String(primary.ports.postgres), '-U', 'postgres'];
    const data = path.join(folder, 'data');
    await run(command, [...connection, '-D', data, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync']);
    await run('chown', ['-R', `${uid}:${gid}`, folder]);
    // The primary's settings for its own disk do not concern its standby.
    rmSync(path.join(data, 'ballast'), { force: true });
  });
  await eventually('the standby follows', async () => {
    const rows = await queryOn(primary, `SELECT FROM pg_stat_replication WHERE state = 'streaming'`);
    return rows.length > 0;
  });
  return standby;
}

async function queryOn<T extends pg.QueryResultRow>(server: PrivateServer, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: server.urls.DATABASE_URL });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

const FORGOTTEN = 5;

/**
 * The primary dies after its standby has lost touch with it, so that grants are forgotten which callers live by. Their
 * accounts must not be granted again while the leases run; that it is Redis which knows is shown by taking it away.
 */
async function failOver({ world, random, bus, injected, report }: FaultContext): Promise<void> {
  const userId = 2_000_000_000 + random.between(0, 1_000_000);
  const accounts = Array.from({ length: FORGOTTEN }, (_, index) => ({
    ...{ user_id: userId, phone: `+${userId}${index}`, session_data: telethonSession() },
  }));
  const registered = (await bus.ask('admin.register', { accounts })) as unknown as {
    accounts: { account_id: string }[];
  };
  const wish = { user_id: userId, purpose: 'general', service_name: 'forgotten', timeout_minutes: 5 };
  const countGrants = async () => {
    const replies = await Promise.all(accounts.map(() => bus.ask('account.allocate', wish)));
    return replies.filter(({ success }) => success).length;
  };

  const standby = await startStandby(world.postgres);
  await eventually('the standby has the accounts', async () => {
    const rows = await queryOn(standby, `SELECT FROM telegram_sessions WHERE user_id = ${userId}`);
    return rows.length === FORGOTTEN;
  });
  await queryOn(standby, `ALTER SYSTEM SET primary_conninfo = ''`);
  await queryOn(standby, 'SELECT pg_reload_conf()');
  await eventually('the standby follows no more', async () => {
    return (await queryOn(standby, 'SELECT FROM pg_stat_wal_receiver')).length === 0;
  });
  const granted = await countGrants();
  if (granted !== FORGOTTEN) report(`${granted} grants before the failover, not ${FORGOTTEN}`);
  // Locks are stretched after the reply.
  await pause(random.between(1_000, 3_000));

  await world.postgres.crash();
  injected();
  await queryOn(standby, 'SELECT pg_promote()');
  await world.moveDatabase(standby);
  await world.untilReady();
  const forgotten = await world.query('SELECT FROM leases WHERE user_id = $1', [userId]);
  if (forgotten.length > 0) report(`the standby knows of ${forgotten.length} grants: nothing was lost`);
  const again = await countGrants();
  if (again > 0) report(`${again} accounts granted to a second holder after the failover`);
  await forgetLocks(
    world,
    registered.accounts.map(({ account_id: id }) => id),
  );
  const unguarded = await countGrants();
  if (unguarded !== FORGOTTEN) report(`without the locks ${unguarded} are granted, so they were not what held`);
}

export const FAILOVER = {
  'failover to a standby that lost the last transactions': failOver,
} as const satisfies Record<string, Fault>;
