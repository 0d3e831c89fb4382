import { afterAll, expect, test } from '@jest/globals';
import amqplib from 'amqplib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createDatabase } from './database.js';
import { createRedis } from './redis.js';
import { createVhost, manage } from './vhost.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

test('databases are migrated copies that share nothing', async () => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  cleanups.push(one.drop, two.drop);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  await client.query('CREATE TABLE mine ()');
  await client.end();
  const other = new pg.Client({ connectionString: two.url });
  await other.connect();
  const { rows } = await other.query(
    `SELECT to_regclass('mine') AS mine, to_regclass('_prisma_migrations') AS migrations`,
  );
  await other.end();
  expect(rows).toEqual([{ mine: null, migrations: '_prisma_migrations' }]);
});

test('blocks of Redis databases do not overlap and are empty when handed out', async () => {
  const one = await createRedis();
  const redis = new Redis(one.url, { db: one.database + 4 });
  await redis.set('left', 'behind');
  const two = await createRedis();
  cleanups.push(two.drop);
  expect(Math.abs(two.database - one.database)).toBeGreaterThanOrEqual(5);
  expect(await redis.get('left')).toBe('behind');
  await one.drop();
  expect(await redis.get('left')).toBeNull();
  redis.disconnect();
});

test('a virtual host takes the quorum queues that the contract wants', async () => {
  const vhost = await createVhost();
  cleanups.push(vhost.drop);
  const connection = await amqplib.connect(vhost.url);
  const channel = await connection.createChannel();
  await channel.assertExchange('dead', 'topic');
  const queueArguments = {
    'x-queue-type': 'quorum',
    'x-delivery-limit': 20,
    'x-max-length': 1_000_000,
    'x-overflow': 'reject-publish',
    'x-dead-letter-exchange': 'dead',
    'x-dead-letter-strategy': 'at-least-once',
  };
  await channel.assertQueue('requests', { durable: true, arguments: queueArguments });
  await connection.close();
  const queue = await manage('GET', `/api/queues/${vhost.name}/requests`);
  expect(queue).toMatchObject({ type: 'quorum', arguments: queueArguments });
});
