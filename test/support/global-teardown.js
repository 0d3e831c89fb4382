import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isAlive } from '../../scripts/servers/process.mjs';
import { stopServers } from '../../scripts/servers.mjs';
import { DIRECTORY } from './global-setup.js';

/** Stops the servers unless another run still uses them or KEEP_SERVERS=1 was asked for. */
export default async function tearDown() {
  if (process.env.SKIP_SERVERS) return;
  const runs = path.join(DIRECTORY, 'runs');
  rmSync(path.join(runs, String(process.pid)), { force: true });
  const isWanted = () =>
    existsSync(path.join(DIRECTORY, 'keep')) || readdirSync(runs).some((pid) => isAlive(Number(pid)));
  await stopServers(DIRECTORY, { isWanted });
}
