import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { isRunning } from '../../scripts/servers/process.mjs';
import { postgres } from '../../scripts/servers/postgres.mjs';
import { rabbitmq } from '../../scripts/servers/rabbitmq.mjs';
import { redis } from '../../scripts/servers/redis.mjs';
import type { Running } from '../../scripts/servers.mjs';
import { eventually } from '../broker/eventually.js';

const SERVERS = { postgres, redis, rabbitmq };
const ROOT = path.resolve(import.meta.dirname, '../../.local/private');

/** A server of the test's own, to be ill-treated. It keeps its address and its data through all of it. */
export interface PrivateServer {
  /** By the names of the environment variables. */
  urls: Record<string, string>;
  /** It hangs: connections stand, and nothing answers. */
  pause: () => void;
  resume: () => void;
  /** Ends it at once, as `kill -9` does. */
  crash: () => Promise<void>;
  /** Ends it in order. */
  stop: () => Promise<void>;
  /** Starts it again after `crash` or `stop`. */
  start: () => Promise<void>;
  /** Ends it and removes its data. */
  remove: () => Promise<void>;
}

export async function startPrivateServer(name: keyof typeof SERVERS): Promise<PrivateServer> {
  const server = SERVERS[name];
  const folder = path.join(ROOT, `${name}-${randomUUID().slice(0, 8)}`);
  let running: Running | undefined;
  // Kept data are the point here: what a disposable server forgets, no restart could bring back.
  const start = () =>
    server.start({ folder, disposable: false, previous: running, record: (started) => (running = started) });
  const current = (): Running => {
    if (running === undefined) throw new Error(`${name} was not started`);
    return running;
  };
  const signal = (sent: NodeJS.Signals) => process.kill(-current().pid, sent);
  const isGone = () => !isRunning(current().pid, current().folder);
  const crash = async () => {
    if (!isGone()) signal('SIGKILL');
    await eventually(`${name} is gone`, isGone);
  };
  await start();
  return {
    urls: current().urls,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    crash,
    stop: () => server.stop(current(), { disposable: false }),
    start,
    remove: async () => {
      await crash();
      rmSync(current().folder, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
