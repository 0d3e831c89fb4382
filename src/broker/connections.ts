import { lookup } from 'node:dns/promises';
import { type EventEmitter, once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type AmqpConnectionManager, AmqpConnectionManagerClass } from 'amqp-connection-manager';
import type { ChannelModel } from 'amqplib';
import { coalesceWrites } from '../coalesce-writes.js';
import { firstUrl, splitUrls } from '../decide/messages/split-urls.js';
import { judgeBrokerFault } from '../decide/start/judge-faults.js';
import { nameServer } from '../decide/start/name-server.js';
import { StartError } from '../decide/start/start-error.js';
import type { Log } from '../telemetry/log.js';
import { createOutageTeller, type OutageTeller } from '../telemetry/outage-teller.js';
import { askWhyRefused } from './ask-why-refused.js';
import { limitHeaders } from './limit-headers.js';
import { openChannel } from './open-channel.js';
import { waitAtMost } from './wait-at-most.js';

/** A connection that comes back by itself. */
export interface BrokerConnection {
  /** The live connection; null while it is away. */
  current(): ChannelModel | null;
  state(): ConnectionState;
  /** Resolves once the broker has answered a question; rejects where there is no connection. A stuck broker keeps it waiting. */
  ask(): Promise<void>;
  /** Calls back at every connect; returns how to stop that. */
  onConnect(listener: () => void): () => void;
  /** Calls back when the broker accepts publications again. */
  onUnblocked(listener: () => void): () => void;
}

export interface ConnectionState {
  connected: boolean;
  /** The broker takes no publications: it is short of memory or disk. */
  blocked: boolean;
}

/**
 * Under a memory alarm the broker stops reading from connections that publish, so publishing and consuming share
 * nothing.
 */
export interface Connections {
  consuming: BrokerConnection;
  publishing: BrokerConnection;
  /** The AMQP user of this service. */
  user: string;
  /**
   * Connects, and tries for ever, until closed. Resolves when both are up; rejects with `StartError` where waiting does not
   * help, as with a wrong password, or when the signal aborts.
   */
  open(options?: { signal?: AbortSignal }): Promise<void>;
  state(): { consuming: ConnectionState; publishing: ConnectionState };
  /** Leaves a node that answers nothing for the next one; where there is no other, its heartbeat has to decide. */
  moveOn(): void;
  close(): Promise<void>;
}

export interface ConnectionsOptions {
  /**
   * `amqp(s)://user:password@host:port/vhost`; of a cluster several, separated by commas, all of one user and vhost. A host
   * name with several addresses stands for as many nodes.
   */
  url: string;
  /** PEM texts, used where the URL says `amqps:`: the authorities to trust instead of the public ones, and what to be known by. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** Names this process in the broker's management page. */
  instance: string;
  log: Log;
  observe?: { connected(connection: ConnectionName): void };
}
export type ConnectionName = 'consumer' | 'publisher';

/**
 * `heartbeatSeconds`: missed for twice as long, the broker counts as gone. `connectTimeoutMs` bounds the connection to a
 * host that says nothing. `reconnectSeconds`: between two tries.
 */
const TO_ONE = { heartbeatSeconds: 10, connectTimeoutMs: 10_000, reconnectSeconds: 1 };
/** Where another node may do, less patience: requests are to go on within 2 s of a node's loss. */
const TO_SEVERAL = { heartbeatSeconds: 5, connectTimeoutMs: 3_000, reconnectSeconds: 0.3 };
/** A broker that does not answer a close is left alone after this long. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Both connections, which `open` starts. */
export function createConnections({ url, tls, instance, log, observe }: ConnectionsOptions): Connections {
  const teller = createOutageTeller({ log, what: nameServer('RabbitMQ', url), meanwhile: 'trying again' });
  const start = (name: ConnectionName) =>
    keepConnection({ url, tls, name: `account-manager ${name} ${instance}`, log, teller }, () =>
      observe?.connected(name),
    );
  const consuming = start('consumer');
  const publishing = start('publisher');
  return {
    consuming: consuming.connection,
    publishing: publishing.connection,
    user: decodeURIComponent(firstUrl(url).username) || 'guest',
    open: async ({ signal } = {}) => {
      // One after the other: what keeps the first from opening is told once.
      await consuming.open(signal);
      await publishing.open(signal);
    },
    state: () => ({ consuming: consuming.connection.state(), publishing: publishing.connection.state() }),
    moveOn: () => {
      consuming.moveOn();
      publishing.moveOn();
    },
    close: async () => {
      await Promise.all([consuming.close(), publishing.close()]);
    },
  };
}

interface KeptConnection {
  connection: BrokerConnection;
  open(signal?: AbortSignal): Promise<void>;
  moveOn(): void;
  close(): Promise<void>;
}

type KeepConnectionOptions = Pick<ConnectionsOptions, 'url' | 'tls' | 'log'> & { name: string; teller: OutageTeller };

function keepConnection(options: KeepConnectionOptions, connected: () => void): KeptConnection {
  const { manager, nodes } = createManager(options);
  const isBlocked = tellChanges(manager, options, connected);
  return {
    connection: {
      current: () => manager.connection ?? null,
      state: () => ({ connected: manager.isConnected(), blocked: isBlocked() }),
      ask: () => askFor(manager.connection),
      onConnect: (listener) => subscribe(manager, 'connect', listener),
      onUnblocked: (listener) => subscribe(manager, 'unblocked', listener),
    },
    open: prepareOpening(manager, nodes, options),
    moveOn: () => {
      if (manager.connection && nodes() > 1) streamOf(manager.connection).destroy();
    },
    close: () => waitAtMost(manager.close(), CLOSE_TIMEOUT_MS),
  };
}

/** Connects only when it is told to; `nodes` answers how many the last round of tries had. */
function createManager({ url, tls, name }: KeepConnectionOptions): {
  manager: AmqpConnectionManager;
  nodes: () => number;
} {
  let nodes = 0;
  const manager: AmqpConnectionManager = new AmqpConnectionManagerClass(null, {
    // Asked again after every round of them.
    findServers: async () => {
      const found = (await Promise.all(splitUrls(url).map(nodesOf))).flat();
      nodes = found.length;
      const { heartbeatSeconds, reconnectSeconds, connectTimeoutMs } = nodes > 1 ? TO_SEVERAL : TO_ONE;
      manager.heartbeatIntervalInSeconds = heartbeatSeconds;
      manager.reconnectTimeInSeconds = reconnectSeconds;
      const connectionOptions = {
        // Without it small messages wait some 40 ms for the acknowledgement of those before.
        noDelay: true,
        keepAlive: true,
        timeout: connectTimeoutMs,
        clientProperties: { connection_name: name },
        ...tls,
        rejectUnauthorized: true,
      };
      return found.map((node) => ({
        url: node.url,
        connectionOptions: { ...connectionOptions, servername: node.servername },
      }));
    },
  });
  return { manager, nodes: () => nodes };
}

/** Guards the connection each time it is made, and logs its changes; returns whether the broker blocks it now. */
function tellChanges(
  manager: AmqpConnectionManager,
  { name, log, teller }: KeepConnectionOptions,
  connected: () => void,
): () => boolean {
  let blocked = false;
  // First of all listeners, so that the connection is guarded before anyone opens a channel on it.
  manager.on('connect', () => {
    limitHeaders(manager.connection as ChannelModel);
    coalesceWrites(streamOf(manager.connection as ChannelModel));
    log.debug('broker connected', { connection: name });
    teller.back(name);
    connected();
  });
  manager.on('disconnect', ({ err }) => {
    blocked = false;
    log.debug('broker disconnected', { connection: name, error: err });
    teller.failed(`a connection was lost: ${judgeBrokerFault(err).cause}`, name);
  });
  manager.on('blocked', ({ reason }) => {
    blocked = true;
    log.error('broker blocks publications', { connection: name, reason });
  });
  manager.on('unblocked', () => {
    blocked = false;
    log.info('broker takes publications again', { connection: name });
  });
  return () => blocked;
}

/**
 * Returns how to open the connection for the first time, which is given up where no node can ever be had. All other
 * failures to connect are told, then and later.
 */
function prepareOpening(
  manager: AmqpConnectionManager,
  nodes: () => number,
  { tls, name, teller }: KeepConnectionOptions,
): (signal?: AbortSignal) => Promise<void> {
  /** Why it can never be had, by URL of the node. */
  const hopeless = new Map<unknown, string>();
  let onHopeless: ((error: StartError) => void) | null = null;
  const judge = async (error: Error, node: unknown): Promise<void> => {
    const refusal = isVhostRefused(error) ? await askWhyRefused(String(node), tls) : null;
    const { isLasting, cause } = judgeBrokerFault(error, refusal);
    if (onHopeless === null || !isLasting) return teller.failed(cause, name);
    hopeless.set(node, `${nameServer('RabbitMQ', String(node))}: ${cause}`);
    if (hopeless.size >= nodes()) onHopeless(new StartError([...new Set(hopeless.values())].join('; ')));
  };
  manager.on('connectFailed', ({ err, url: node }) => void judge(err, node));
  return async (signal) => {
    try {
      const refused = new Promise<never>((_, reject) => (onHopeless = reject));
      await Promise.race([connectFirst(manager, signal), refused]);
    } finally {
      onHopeless = null;
    }
  };
}

/** Resolves when the connection stands; rejects when the signal aborts. It is tried again and again from now on. */
async function connectFirst(manager: AmqpConnectionManager, signal: AbortSignal | undefined): Promise<void> {
  if (manager.isConnected()) return;
  const connected = once(manager as unknown as EventEmitter, 'connect', { signal });
  // It rejects for a refused password, too, and tries on.
  manager.connect().catch(() => undefined);
  await connected;
}

/** The broker has said why, and the client library does not. */
const isVhostRefused = ({ message }: Error): boolean => message.startsWith('Expected ConnectionOpenOk');

interface Node {
  url: string;
  /** Host name that the certificate must name; set where the URL has an IP address. */
  servername?: string;
}

/** One for each address of the URL's host; the two that a host has on IPv4 and IPv6 are the same node. */
async function nodesOf(url: string): Promise<Node[]> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  // Where the name is not known, connecting says so.
  const found = await lookup(host, { all: true }).catch(() => []);
  const isSeveral = [4, 6].some((version) => found.filter(({ family }) => family === version).length > 1);
  if (!isSeveral) return [{ url }];
  return found.map(({ address, family }) => {
    const node = new URL(url);
    node.hostname = family === 6 ? `[${address}]` : address;
    return { url: node.href, servername: host };
  });
}

/** Opens a channel and closes it. */
async function askFor(link: ChannelModel | null | undefined): Promise<void> {
  if (!link) throw new Error('no connection to the broker');
  const channel = await openChannel(link);
  await channel.close();
}

function subscribe(manager: AmqpConnectionManager, event: 'connect' | 'unblocked', listener: () => void): () => void {
  manager.on(event, listener);
  return () => void manager.removeListener(event, listener);
}

const streamOf = ({ connection }: ChannelModel): Duplex => (connection as unknown as { stream: Duplex }).stream;
