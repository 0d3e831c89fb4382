import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, isRunning } from '../../scripts/servers/process.mjs';
import { postgres } from '../../scripts/servers/postgres.mjs';
import { rabbitmq } from '../../scripts/servers/rabbitmq.mjs';
import { redis } from '../../scripts/servers/redis.mjs';
import type { Running } from '../../scripts/servers.mjs';
import { eventually } from '../support/eventually.js';

const SERVERS = { postgres, redis, rabbitmq };
const PORTS = {
  postgres: ['postgres'],
  redis: ['redis'],
  rabbitmq: ['amqp', 'management', 'distribution', 'epmd'],
};

/** A server of the test's own, to be ill-treated. It keeps its address and its data through all of it. */
export interface PrivateServer {
  /** By the names of the environment variables. */
  urls: Record<string, string>;
  ports: Record<string, number>;
  /** Its name in a cluster. */
  node?: string;
  /** Where its data lie. */
  folder: string;
  /** It hangs: connections stand, and nothing answers. */
  pause: () => void;
  resume: () => void;
  /** Ends it at once, as `kill -9` does. */
  crash: () => Promise<void>;
  /** Ends it in order. */
  stop: () => Promise<void>;
  /** Starts it again after `crash` or `stop`. */
  start: () => Promise<void>;
  /** Resumes or starts it, whatever state it was left in. */
  mend: () => Promise<void>;
  /** Ends it and removes its data. */
  remove: () => Promise<void>;
}

/**
 * @param prepare may put files into the folder before the first start
 * @param given what it shares with others: as a node of a cluster its name, and ports
 */
export async function startPrivateServer(
  name: keyof typeof SERVERS,
  prepare: (folder: string) => void | Promise<void> = () => undefined,
  given: { node?: string; ports?: Record<string, number> } = {},
): Promise<PrivateServer> {
  const server = SERVERS[name];
  // Not in the checkout, where the user that PostgreSQL runs as may have no way to.
  const folder = mkdtempSync(path.join(tmpdir(), `account-manager-${name}-`));
  const ports: Record<string, number> = Object.fromEntries(
    await Promise.all(PORTS[name].map(async (port) => [port, given.ports?.[port] ?? (await lastingPort())])),
  );
  let running: Running = { pid: 0, folder, ports, urls: {}, node: given.node };
  // Erlang's port mapper outlives its node, and the start ends it.
  const { epmd: _, ...own } = ports;
  const areFree = async () => (await Promise.all(Object.values(own).map(isFree))).every(Boolean);
  const start = async () => {
    // A killed process takes a moment to let go of its ports.
    await eventually(`the ports of ${name} are free`, areFree);
    // Kept data are the point here: what a disposable server forgets, no restart could bring back.
    const record = (started: Running) => (running = started);
    await server.start({ folder, disposable: false, previous: running, record });
  };
  const signal = (sent: NodeJS.Signals) => process.kill(-running.pid, sent);
  const isGone = () => !isRunning(running.pid, folder);
  const crash = async () => {
    if (!isGone()) signal('SIGKILL');
    await eventually(`${name} is gone`, isGone);
  };
  await prepare(folder);
  await start();
  return {
    urls: running.urls,
    ports,
    node: given.node,
    folder,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    crash,
    stop: () => server.stop(running, { disposable: false }),
    start,
    mend: async () => {
      if (isGone()) await start();
      else signal('SIGCONT');
    },
    remove: async () => {
      await crash();
      // Processes that a killed server leaves running beside it, as Erlang's port mapper.
      await server.stop(running, { disposable: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A free port that nobody gets by chance while the server is down. Among those that the system hands to clients, one that
 * dials its own is answered by itself, and the server could not come back to its address.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) return port;
  }
}

const isFree = async (port: number): Promise<boolean> => (await freePort(port)) === port;
