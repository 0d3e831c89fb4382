import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { EXCHANGES, PARKED, REQUEST_QUEUES } from '../../contracts/topology.js';
import type { BrokerFacts, BrokerNode, ManagementFacts } from '../decide/doctor/judge-broker.js';
import { compareTopology } from '../decide/messages/compare-topology.js';
import { splitUrls } from '../decide/messages/split-urls.js';
import { createManagement, type Management } from './management.js';
import { openChannel } from './open-channel.js';
import { CONTRACT_TOPOLOGY } from './topology.js';

export interface InspectedBroker {
  /** One URL or several, separated by commas. */
  url: string;
  tls?: { ca?: string; cert?: string; key?: string };
  /** Absent: bindings, policies, members and nodes cannot be seen. */
  managementUrl?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;
const REFUSED = 403;

/** Looks at RabbitMQ, and changes nothing. Rejects where no node takes a connection. */
export async function inspectBroker({ url, tls, managementUrl }: InspectedBroker): Promise<BrokerFacts> {
  const nodes = await Promise.all(splitUrls(url).map((one) => tryNode(one, tls)));
  const links = nodes.flatMap(({ link }) => link ?? []);
  const [link] = links;
  const urls = nodes.map(({ host, error }) => ({ host, error }));
  if (link === undefined) throw new Error(urls.map(({ host, error }) => `${host}: ${error ?? ''}`).join('; '));
  try {
    const { serverProperties } = link.connection as unknown as { serverProperties: { version?: string } };
    const [entities, write, management] = await Promise.all([
      inspectEntities(link),
      tryWriting(link),
      managementUrl === undefined ? null : inspectManagement({ url, tls, managementUrl }),
    ]);
    return {
      version: serverProperties.version ?? 'unknown',
      urls,
      ...entities,
      refused: [...entities.refused, ...(entities.missing.length > 0 ? [] : write)],
      management,
    };
  } finally {
    await Promise.all(links.map((one) => one.close().catch(() => undefined)));
  }
}

async function tryNode(
  url: string,
  tls: InspectedBroker['tls'],
): Promise<{ host: string; link: ChannelModel | null; error: string | null }> {
  const { host } = new URL(url);
  try {
    const link = await connect(url, {
      ...tls,
      noDelay: true,
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: 'account-manager doctor' },
    });
    link.on('error', () => undefined);
    return { host, link, error: null };
  } catch (error) {
    // The driver's texts name the user at most.
    const { message, code } = error as NodeJS.ErrnoException;
    return { host, link: null, error: (message || code) ?? 'no answer' };
  }
}

/** Does something on a channel of its own; answers the code and text with which the broker refuses it, or null. */
async function attempt(
  link: ChannelModel,
  act: (channel: Channel) => Promise<unknown>,
): Promise<{ code: unknown; message: string } | null> {
  const channel = await openChannel(link);
  try {
    await act(channel);
    await channel.close();
    return null;
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    return { code, message };
  }
}

type Entities = Pick<BrokerFacts, 'entities' | 'missing' | 'differences' | 'refused' | 'parked'>;

/** Asks for each entity, and then declares those that are there as they should be, which changes none of them. */
async function inspectEntities(link: ChannelModel): Promise<Entities> {
  const { exchanges, queues } = CONTRACT_TOPOLOGY;
  const missing: string[] = [];
  const differences: string[] = [];
  const refused: string[] = [];
  let parked: number | null = null;
  const judge = async (
    entity: string,
    look: (channel: Channel) => Promise<unknown>,
    declare: (channel: Channel) => Promise<unknown>,
  ): Promise<void> => {
    const absent = await attempt(link, look);
    if (absent?.code === NOT_FOUND) return void missing.push(entity);
    if (absent !== null) return void refused.push(`see ${entity}`);
    const problem = await attempt(link, declare);
    if (problem?.code === REFUSED) refused.push(`configure ${entity}`);
    else if (problem !== null)
      differences.push(/PRECONDITION_FAILED - ([^"]*)/.exec(problem.message)?.[1] ?? problem.message);
  };
  for (const { name, type } of exchanges) {
    await judge(
      `exchange ${name}`,
      (channel) => channel.checkExchange(name),
      (channel) => channel.assertExchange(name, type, { durable: true }),
    );
  }
  for (const { name, arguments: wanted } of queues) {
    await judge(
      `queue ${name}`,
      async (channel) => {
        const { messageCount } = await channel.checkQueue(name);
        if (name === PARKED.name) parked = messageCount;
      },
      (channel) => channel.assertQueue(name, { durable: true, arguments: wanted }),
    );
  }
  return { entities: exchanges.length + queues.length, missing, differences, refused, parked };
}

/** Publishes what nobody gets, and unbinds what is not bound: both need the rights that the service needs. */
async function tryWriting(link: ChannelModel): Promise<string[]> {
  const nobody = `account-manager.doctor.${randomUUID()}`;
  const publish = (exchange: string, key: string) => async (): Promise<{ code: unknown } | null> => {
    const channel = await link.createConfirmChannel();
    const closed = new Promise<{ code: unknown }>((resolve) =>
      channel.on('error', ({ code }: Error & { code?: unknown }) => resolve({ code })),
    );
    channel.publish(exchange, key, Buffer.alloc(0), { expiration: 1 });
    const confirmed = channel.waitForConfirms().then(
      () => null,
      () => closed,
    );
    const problem = await Promise.race([confirmed, closed]);
    if (problem === null) await channel.close();
    return problem;
  };
  const attempts: Readonly<Record<string, () => Promise<{ code: unknown } | null>>> = {
    // Without its header a message there goes nowhere.
    [`write exchange ${EXCHANGES.retry.name}`]: publish(EXCHANGES.retry.name, nobody),
    'write the default exchange, on which replies leave': publish('', nobody),
    [`read exchange ${EXCHANGES.requests.name}`]: () =>
      attempt(link, (channel) => channel.unbindQueue(REQUEST_QUEUES.query.name, EXCHANGES.requests.name, nobody)),
  };
  const refused: string[] = [];
  for (const [what, act] of Object.entries(attempts)) if ((await act())?.code === REFUSED) refused.push(what);
  return refused;
}

async function inspectManagement({
  url,
  tls,
  managementUrl,
}: Required<Pick<InspectedBroker, 'url' | 'managementUrl'>> & Pick<InspectedBroker, 'tls'>): Promise<
  ManagementFacts | { error: string }
> {
  const management = createManagement({ url: managementUrl, rabbitmqUrl: url, tls });
  try {
    const topology = await management.readTopology();
    const nodes = await readNodes(management);
    // AMQP has told of entities that are missing as a whole.
    const differences = compareTopology(CONTRACT_TOPOLOGY, topology).filter((one) => /policy|binding/.test(one));
    return {
      differences: topology.queues.length === 0 ? [] : differences,
      queues: await readMembers(management),
      nodes,
    };
  } catch (error) {
    return { error: error instanceof Error ? error.message || 'no answer' : String(error) };
  }
}

interface FoundQueue {
  name: string;
  members?: string[];
  online?: string[];
}

async function readMembers({ look, vhost }: Management): Promise<ManagementFacts['queues']> {
  const found = ((await look(`queues/${vhost}`)) ?? []) as FoundQueue[];
  const own = new Set(CONTRACT_TOPOLOGY.queues.map(({ name }) => name));
  return found.flatMap(({ name, members, online }) =>
    own.has(name) && members !== undefined && online !== undefined ? [{ name, members, online }] : [],
  );
}

interface FoundNode {
  name: string;
  running: boolean;
  mem_alarm?: boolean;
  disk_free_alarm?: boolean;
  disk_free?: number;
  disk_free_limit?: number;
  partitions?: string[];
}

async function readNodes({ look }: Management): Promise<BrokerNode[] | null> {
  const found = (await look('nodes')) as FoundNode[] | null;
  return (
    found?.map((node) => ({
      name: node.name,
      isRunning: node.running,
      memoryAlarm: node.mem_alarm ?? false,
      diskAlarm: node.disk_free_alarm ?? false,
      diskFreeBytes: node.disk_free ?? 0,
      diskLimitBytes: node.disk_free_limit ?? 0,
      partitions: node.partitions ?? [],
    })) ?? null
  );
}
