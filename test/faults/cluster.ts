import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findRelease, prepareRelease } from '../../scripts/servers/rabbitmq-release.mjs';
import { lastingPort, type PrivateServer, startPrivateServer } from '../support/private-server.js';

/** The nodes, in the order in which services try them. */
export const NODES = ['one', 'two', 'three'] as const;
const DEPLOY = path.resolve(import.meta.dirname, '../../deploy/rabbitmq');

/** Three nodes on this machine, with a port mapper of their own, set as deploy/rabbitmq advises. */
export async function startCluster(): Promise<PrivateServer[]> {
  await prepareRelease();
  const epmd = await lastingPort();
  const cookie = randomBytes(16).toString('hex');
  const settings = [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...NODES.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}@localhost`),
    // The part of the committed files that is about clusters; the rest is about users.
    ...readFileSync(path.join(DEPLOY, 'rabbitmq.conf'), 'utf8').match(/^(queue_leader_locator|cluster_).*$/gm)!,
    ...(brokerVersion() >= 4.3 ? [readFileSync(path.join(DEPLOY, 'rabbitmq-4.3.conf'), 'utf8')] : []),
  ];
  const prepare = (folder: string): void => {
    mkdirSync(path.join(folder, 'conf.d'));
    writeFileSync(path.join(folder, 'conf.d/cluster.conf'), `${settings.join('\n')}\n`);
    writeFileSync(path.join(folder, '.erlang.cookie'), cookie, { mode: 0o400 });
  };
  // At once: each waits for the others when it starts for the first time.
  return await Promise.all(NODES.map((node) => startPrivateServer('rabbitmq', prepare, { node, ports: { epmd } })));
}

/** As a number: 3.1 is 3.10. */
const brokerVersion = (): number =>
  Number(/rabbitmq_server-(\d+\.\d+)/.exec(findRelease()?.programs ?? '')?.[1] ?? Number.NaN);
