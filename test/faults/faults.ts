import { setTimeout as pause } from 'node:timers/promises';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import type { Bus } from './bus.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** What a fault has to its hands. */
export interface FaultContext {
  world: World;
  random: Random;
  /** The users whose accounts are in play. */
  userIds: readonly number[];
  /** Somebody who may call as well. */
  bus: Bus;
}

/** Does its damage, lasts, and mends what will not mend itself; resolves when the world could be well again. */
export type Fault = (context: FaultContext) => Promise<void>;

/** How long what lasts lasts, milliseconds; `FAULT_AWAY_SECONDS` for the long absence of the broker. */
const shortWhile = (random: Random) => pause(random.between(300, 2_500));
/** Longer than the silence after which a connection counts as dead. */
const longWhile = (random: Random) => pause(random.between(13_000, 16_000));
const AWAY_MS = Number(process.env.FAULT_AWAY_SECONDS ?? 60) * 1_000;

const OPERATIONS = ['account.allocate', 'account.release', 'action.acquire', 'account.renew', 'action.record'];
const POINTS = ['before-commit', 'after-commit', 'after-reply'];
const SERVICE_SESSIONS = `application_name LIKE 'account-manager%'`;

export const FAULTS = {
  'nothing (control)': ({ random }) => shortWhile(random),

  'process killed': async ({ world, random }) => {
    for (let kills = random.between(1, 3); kills > 0; kills--) {
      world.services().at(random.between(0, 1))?.process.kill('SIGKILL');
      await shortWhile(random);
    }
  },
  'process killed at a fail point': async ({ world, random }) => {
    for (let kills = random.between(2, 3); kills > 0; kills--) {
      await world.startDoomed({ FAIL_POINT: `${random.pick(OPERATIONS)}:${random.pick(POINTS)}` });
    }
  },
  'process told to stop': async ({ world, random }) => {
    for (let stops = 2; stops > 0; stops--) {
      world.services().at(random.between(0, 1))?.process.kill('SIGTERM');
      await shortWhile(random);
    }
  },

  'every AMQP connection closed': async ({ world }) => {
    const open = (await world.manage('GET', '/api/connections')) as { name: string }[];
    await Promise.all(
      // One that is gone already is gone.
      open.map(({ name }) => world.manage('DELETE', `/api/connections/${encodeURIComponent(name)}`).catch(() => null)),
    );
  },
  'broker restarted': async ({ world }) => {
    await world.rabbitmq.stop();
    await world.rabbitmq.start();
  },
  'broker killed': async ({ world }) => {
    await world.rabbitmq.crash();
    await world.rabbitmq.start();
  },
  'broker away for long': async ({ world }) => {
    await world.rabbitmq.crash();
    await pause(AWAY_MS);
    await world.rabbitmq.start();
  },
  'queues deleted': async ({ world, random }) => {
    for (const key of ['allocate', 'release', 'action'] as const) {
      await world.manage('DELETE', `/api/queues/%2F/${REQUEST_QUEUES[key].name}`);
      await shortWhile(random);
    }
  },
  'network to the broker cut': async ({ world, random }) => {
    await world.brokerNet.cut();
    await shortWhile(random);
    await world.brokerNet.heal();
  },
  'network to the broker swallows': async ({ world, random }) => {
    world.brokerNet.blackhole();
    await longWhile(random);
    await world.brokerNet.heal();
  },
  'network to the broker swallows what comes back': async ({ world, random }) => {
    world.brokerNet.loseReplies();
    await shortWhile(random);
    await world.brokerNet.heal();
  },

  'PostgreSQL restarted at once': async ({ world, random }) => {
    await world.postgres.crash();
    await shortWhile(random);
    await world.postgres.start();
  },
  'PostgreSQL sessions terminated': async ({ world, random }) => {
    for (let times = 3; times > 0; times--) {
      await world.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${SERVICE_SESSIONS}`);
      await shortWhile(random);
    }
  },
  'PostgreSQL read-only': async ({ world, random }) => {
    await world.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await world.query('SELECT pg_reload_conf()');
    await shortWhile(random);
    await world.query('ALTER SYSTEM RESET default_transaction_read_only');
    await world.query('SELECT pg_reload_conf()');
  },
  'PostgreSQL hangs': async ({ world, random }) => {
    world.postgres.pause();
    await shortWhile(random);
    world.postgres.resume();
  },
  'network to PostgreSQL cut': async ({ world, random }) => {
    await world.databaseNet.cut();
    await shortWhile(random);
    await world.databaseNet.heal();
  },
  'network to PostgreSQL swallows': async ({ world, random }) => {
    world.databaseNet.blackhole();
    await longWhile(random);
    await world.databaseNet.heal();
  },
  'network to PostgreSQL swallows what comes back': async ({ world, random }) => {
    world.databaseNet.loseReplies();
    await shortWhile(random);
    await world.databaseNet.heal();
  },
  'connections to PostgreSQL forgotten': ({ world }) => Promise.resolve(world.databaseNet.forget()),

  'Redis flushed': async ({ world, random }) => {
    for (let times = 3; times > 0; times--) {
      await flushRedis(world);
      await shortWhile(random);
    }
  },
  'Redis restarted': async ({ world, random }) => {
    await world.redis.crash();
    await shortWhile(random);
    await world.redis.start();
  },
  'Redis hangs': async ({ world, random }) => {
    world.redis.pause();
    await shortWhile(random);
    world.redis.resume();
  },

  'a hundred times the same at once': async ({ bus, random, userIds }) => {
    for (let times = 2; times > 0; times--) {
      const service_name = 'repeating';
      const wish = { user_id: random.pick(userIds), purpose: 'general', service_name, wait_ms: 2_000 };
      const granted = await bus.askTimes(100, 'account.allocate', wish);
      if (!granted.success) continue;
      const { account_id, lease_id, fence } = granted.allocation as Record<string, unknown>;
      const holder = { account_id, lease_id, fence, service_name };
      await bus.askTimes(100, 'action.acquire', { ...holder, action_type: 'message' });
      await bus.askTimes(100, 'account.release', { ...holder, usage_stats: {} });
    }
  },
  'release before the reply of allocate': async ({ world, bus, random, userIds }) => {
    for (let times = 20; times > 0; times--) {
      const userId = random.pick(userIds);
      const [account] = await world.query<{ id: string }>(
        'SELECT id::text FROM telegram_sessions WHERE user_id = $1 AND NOT locked LIMIT 1',
        [userId],
      );
      const account_id = account?.id ?? '00000000-0000-0000-0000-000000000000';
      const service_name = 'hasty';
      await Promise.all([
        bus.ask('account.allocate', {
          ...{ user_id: userId, purpose: 'general', service_name },
          ...{ preferred_account_id: account_id, preferred_mode: 'require' },
        }),
        bus.ask('account.release', { account_id, service_name, usage_stats: {} }),
      ]);
      await bus.ask('account.release', { account_id, service_name, usage_stats: {} });
    }
  },
  'holders paused beyond their lease': async ({ world, random, userIds }) => {
    for (let times = 4; times > 0; times--) {
      // To the database it is as if their time was over; the holders wake up and know of nothing.
      await world.query(
        `WITH held AS (
           SELECT lease_id FROM telegram_sessions WHERE user_id = ANY($1) AND locked ORDER BY id FOR UPDATE
         ), ended AS (
           UPDATE leases SET expires_at = now()
           WHERE id IN (SELECT lease_id FROM held) AND allocated_at < now() - interval '10 milliseconds' RETURNING id
         )
         UPDATE telegram_sessions SET locked_until = now() WHERE lease_id IN (SELECT id FROM ended)`,
        [userIds],
      );
      await shortWhile(random);
    }
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

async function flushRedis({ redis }: World): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis(redis.urls.REDIS_URL ?? '');
  try {
    await client.flushall();
  } finally {
    client.disconnect();
  }
}
