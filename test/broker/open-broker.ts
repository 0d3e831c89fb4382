import amqplib, { type ChannelModel } from 'amqplib';
import { type Connections, createConnections } from '../../src/broker/connections.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';
import { collectLog, type LogLine } from './collect-log.js';
import { eventually } from '../support/eventually.js';

export interface OpenBroker {
  vhost: TestVhost;
  /** The service's connections. */
  connections: Connections;
  /** A plain connection of the test's own. */
  plain: ChannelModel;
  log: ReturnType<typeof collectLog>['log'];
  lines: LogLine[];
  /** Has the broker close the service's connections of this kind, as an operator would; waits until they are seen. */
  closeConnections(kind: 'consumer' | 'publisher'): Promise<void>;
  close(): Promise<void>;
}

/** A vhost of the test's own, with the service's connections open and one plain connection to look on. */
export async function openBroker(): Promise<OpenBroker> {
  const vhost = await createVhost();
  const { log, lines } = collectLog();
  const connections = createConnections({ url: vhost.url, instance: 'test', log });
  await connections.open();
  const plain = await amqplib.connect(vhost.url, { noDelay: true });
  plain.on('error', () => undefined);
  return {
    vhost,
    connections,
    plain,
    log,
    lines,
    closeConnections: (kind) => closeConnections(vhost.name, kind),
    close: async () => {
      await connections.close();
      await plain.close().catch(() => undefined);
      await vhost.drop();
    },
  };
}

interface ConnectionInfo {
  name: string;
  client_properties: { connection_name?: string };
}

async function closeConnections(vhost: string, kind: string): Promise<void> {
  const list = async () => {
    const all = (await manage('GET', `/api/vhosts/${vhost}/connections`)) as ConnectionInfo[];
    return all.filter(({ client_properties: properties }) => properties.connection_name?.includes(` ${kind} `));
  };
  // The management page learns of a new connection with a delay of some seconds.
  const found = await eventually(`a ${kind} connection is listed`, async () => {
    const listed = await list();
    return listed.length > 0 ? listed : null;
  });
  for (const { name } of found ?? []) await manage('DELETE', `/api/connections/${encodeURIComponent(name)}`);
}
