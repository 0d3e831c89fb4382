import { setTimeout as pause } from 'node:timers/promises';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import { rabbitmqctl } from '../../scripts/servers/rabbitmq.mjs';
import { eventually } from '../support/eventually.js';
import type { PrivateServer } from '../support/private-server.js';
import { NODES } from './cluster.js';
import { type Fault, longWhile } from './fault.js';
import { BROKER_USER, type World } from './world.js';

// Faults of a cluster of three, each under load, judged as the others are.

/** The node that the services consume from, and the one that leads the queue of allocations, as places in `brokers`. */
async function rolesOf(world: World): Promise<{ own: number; leader: number; other: number }> {
  const connections = (await world.manage('GET', '/api/connections')) as { user: string; node: string }[];
  const queue = (await world.manage('GET', `/api/queues/%2F/${REQUEST_QUEUES.allocate.name}`)) as { leader: string };
  const placeOf = (node = '') => NODES.findIndex((name) => node === `${name}@localhost`);
  const own = placeOf(connections.find(({ user }) => user === BROKER_USER)?.node);
  const leader = placeOf(queue.leader);
  if (own < 0 || leader < 0) throw new Error('nobody is connected, or nothing leads');
  return { own, leader, other: [2, 1, 0].find((place) => place !== own && place !== leader) ?? 0 };
}

const nodeAt = ({ brokers }: World, place: number): PrivateServer => brokers[place] as PrivateServer;

/** Kills nodes, and starts them again after a while. */
async function lose(world: World, places: number[], while_: () => Promise<void>): Promise<void> {
  await Promise.all(places.map((place) => nodeAt(world, place).crash()));
  await while_();
  await Promise.all(places.map((place) => nodeAt(world, place).start()));
}

/** Erlang's own way: nodes that do not know the same cookie do not speak with each other. */
async function setCookie(world: World, place: number, cookie: string): Promise<void> {
  const others = NODES.filter((_, index) => index !== place).map((name) => `'${name}@localhost'`);
  const each = `fun(Node) -> erlang:set_cookie(Node, ${cookie}), erlang:disconnect_node(Node) end`;
  await rabbitmqctl(nodeAt(world, place), 'eval', `lists:foreach(${each}, [${others.join(', ')}]).`);
}

export const CLUSTER_FAULTS = {
  'nothing (control)': ({ random }) => longWhile(random),
  'a follower killed': async ({ world, random, injected }) => {
    const { other } = await rolesOf(world);
    injected();
    await lose(world, [other], () => longWhile(random));
  },
  'the leader of the allocations killed': async ({ world, random, injected }) => {
    const { leader } = await rolesOf(world);
    injected();
    await lose(world, [leader], () => longWhile(random));
  },
  "the service's own node killed": async ({ world, random, injected }) => {
    const { own } = await rolesOf(world);
    injected();
    await lose(world, [own], () => longWhile(random));
  },
  "the service's own node swallows": async ({ world, random, injected }) => {
    const { own } = await rolesOf(world);
    injected();
    world.brokerNets[own]?.blackhole();
    await longWhile(random);
    await world.brokerNets[own]?.heal();
  },
  'two of three killed': async ({ world, random, injected }) => {
    const { own } = await rolesOf(world);
    injected();
    await lose(world, [own, (own + 1) % 3], () => longWhile(random));
  },
  "the service's own node cut off from the others": async ({ world, random, injected }) => {
    const { own } = await rolesOf(world);
    injected();
    await setCookie(world, own, 'apart');
    await longWhile(random);
    await setCookie(world, own, 'erlang:get_cookie()');
  },
  'a rolling restart': async ({ world, injected }) => {
    for (const node of world.brokers) {
      injected();
      await node.stop();
      await node.start();
      await eventually('all nodes are there', async () => {
        const running = (await world.manage('GET', '/api/nodes')) as { running: boolean }[];
        return running.filter((one) => one.running).length === NODES.length;
      });
      // Until its queues have caught up: RabbitMQ has `rabbitmq-upgrade await_online_quorum_plus_one` for it.
      await pause(5_000);
    }
  },
} as const satisfies Record<string, Fault>;
