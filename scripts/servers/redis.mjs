import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { inPath } from './binaries.mjs';
import { answersRedis } from './probe.mjs';
import { freePort, isRunning, startDaemon, stopProcess, waitUntilReady } from './process.mjs';

/** @type {import('../servers.mjs').Server} */
export const redis = {
  name: 'redis',
  title: 'Redis',
  variable: 'REDIS_URL',
  packages: ['redis-server'],

  missing() {
    return inPath('redis-server') ? undefined : 'redis-server';
  },

  async start({ folder, disposable, previous, record }) {
    mkdirSync(folder, { recursive: true });
    const port = await freePort(previous?.ports.redis);
    const log = path.join(folder, 'log');
    const keep = disposable ? ['--save', '', '--appendonly', 'no'] : ['--save', '', '--appendonly', 'yes'];
    // Test files run beside each other, each in databases of its own.
    const databases = String(disposable ? 1024 : 16);
    const pid = await startDaemon({
      command: /** @type {string} */ (inPath('redis-server')),
      args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--databases', databases, ...keep],
      folder,
      log,
    });
    record({ pid, folder, ports: { redis: port }, urls: { REDIS_URL: `redis://127.0.0.1:${port}` } });
    await waitUntilReady({ name: 'Redis', pid, folder, log, probe: () => answersRedis(port) });
  },

  async isHealthy({ pid, folder, ports }) {
    return isRunning(pid, folder) && (await answersRedis(/** @type {number} */ (ports.redis)));
  },

  async stop({ pid, folder }) {
    await stopProcess({ pid, folder, signal: 'SIGTERM' });
  },
};
