import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import { eventually } from '../support/eventually.js';
import { EXCHANGES, REQUEST_QUEUES } from '../../contracts/topology.js';
import { rabbitmqctl } from '../../scripts/servers/rabbitmq.mjs';
import { type Fault, longWhile, shortWhile } from './fault.js';
import { BROKER_USER, type World } from './world.js';

/** `FAULT_AWAY_SECONDS`: how long the long absence of the broker takes. */
const AWAY_MS = Number(process.env.FAULT_AWAY_SECONDS ?? 60) * 1_000;
const SLOW_QUEUE_LENGTH = 10;

const mayEverything = { configure: '.*', write: '.*', read: '.*' };
const mayNothing = { configure: '^$', write: '^$', read: '^$' };
const permit = (world: World, permissions: typeof mayNothing) =>
  world.manage('PUT', `/api/permissions/%2F/${BROKER_USER}`, permissions);

/** Closes every connection, or those of one user. */
async function closeConnections(world: World, user?: string): Promise<number> {
  const open = (await world.manage('GET', '/api/connections?columns=name,user')) as { name: string; user: string }[];
  const chosen = open.filter((connection) => user === undefined || connection.user === user);
  await Promise.all(
    // One that is gone already is gone.
    chosen.map(({ name }) => world.manage('DELETE', `/api/connections/${encodeURIComponent(name)}`).catch(() => null)),
  );
  return chosen.length;
}

/** A subscriber who stops reading, whose queue is full and takes no more; who reads everything in the end. */
async function slowSubscriber({ world, random, injected, report }: Parameters<Fault>[0]): Promise<void> {
  const connection = await connect(world.rabbitmq.urls.RABBITMQ_URL ?? '');
  try {
    const channel = await connection.createChannel();
    const queue = 'slow-subscriber';
    const full = { 'x-max-length': SLOW_QUEUE_LENGTH, 'x-overflow': 'reject-publish' };
    await channel.assertQueue(queue, { durable: true, arguments: full });
    await channel.bindQueue(queue, EXCHANGES.events.name, '#');
    injected();
    await longWhile(random);
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount < SLOW_QUEUE_LENGTH) report(`the slow queue holds ${messageCount}`);
    // Slowly at first, then as fast as the broker delivers.
    await channel.consume(queue, () => undefined, { noAck: true });
    await channel.unbindQueue(queue, EXCHANGES.events.name, '#');
    await channel.deleteQueue(queue);
  } finally {
    await connection.close();
  }
}

export const BROKER_FAULTS = {
  'every AMQP connection closed': async ({ world, injected }) => injected(await closeConnections(world)),
  'broker restarted': async ({ world, injected }) => {
    injected();
    await world.rabbitmq.stop();
    await world.rabbitmq.start();
  },
  'broker killed': async ({ world, injected }) => {
    injected();
    await world.rabbitmq.crash();
    await world.rabbitmq.start();
  },
  'broker away for long': async ({ world, injected }) => {
    injected();
    await world.rabbitmq.crash();
    await pause(AWAY_MS);
    await world.rabbitmq.start();
  },
  'queues deleted': async ({ world, random, injected }) => {
    for (const key of ['allocate', 'release', 'action'] as const) {
      await world.manage('DELETE', `/api/queues/%2F/${REQUEST_QUEUES[key].name}`);
      injected();
      await shortWhile(random);
    }
  },
  'permission revoked': async ({ world, random, injected }) => {
    await permit(world, mayNothing);
    injected(await closeConnections(world, BROKER_USER));
    await shortWhile(random);
    await permit(world, mayEverything);
  },
  'access to the virtual host revoked': async ({ world, random, injected }) => {
    await world.manage('DELETE', `/api/permissions/%2F/${BROKER_USER}`);
    injected(await closeConnections(world, BROKER_USER));
    await shortWhile(random);
    await permit(world, mayEverything);
  },
  'memory alarm': async ({ world, injected }) => {
    await rabbitmqctl(world.rabbitmq, 'set_vm_memory_high_watermark', 'absolute', '1MB');
    injected();
    // Replies cannot be sent: what is in work goes back before the broker takes it for forgotten.
    const hasPaused = () => world.services().some((service) => service.log().includes('consumption paused'));
    await eventually('consumption pauses', hasPaused, 40_000);
    await rabbitmqctl(world.rabbitmq, 'set_vm_memory_high_watermark', '0.6');
  },
  'request queues full': async ({ world, random, injected }) => {
    // So full that most requests are refused by the broker itself.
    const short = { pattern: '^account-manager\\.(allocate|action)$', definition: { 'max-length': 1 } };
    await world.manage('PUT', '/api/policies/%2F/short', { ...short, 'apply-to': 'queues' });
    for (const service of world.services()) service.process.kill('SIGSTOP');
    injected();
    await shortWhile(random);
    for (const service of world.services()) service.process.kill('SIGCONT');
    await shortWhile(random);
    await world.manage('DELETE', '/api/policies/%2F/short');
  },
  'a slow subscriber, its queue full': slowSubscriber,
  'network to the broker cut': async ({ world, random, injected }) => {
    injected();
    await world.brokerNet.cut();
    await shortWhile(random);
    await world.brokerNet.heal();
  },
  'network to the broker swallows': async ({ world, random, injected }) => {
    injected();
    world.brokerNet.blackhole();
    await longWhile(random);
    await world.brokerNet.heal();
  },
  'network to the broker swallows what comes back': async ({ world, random, injected }) => {
    injected();
    world.brokerNet.loseReplies();
    await shortWhile(random);
    await world.brokerNet.heal();
  },
} as const satisfies Record<string, Fault>;
