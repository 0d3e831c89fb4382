import type { Channel, ChannelModel } from 'amqplib';
import { clock } from '../clock.js';
import { compareTopology, type FoundTopology } from '../decide/messages/compare-topology.js';
import { findStuckDeadLetters } from '../decide/messages/find-stuck-dead-letters.js';
import { compareSightings, type ConsumerSighting, isBeyondMending, isDeaf } from '../decide/messages/judge-consumer.js';
import { StartError } from '../decide/start/start-error.js';
import { judgeBrokerFault } from '../decide/start/judge-faults.js';
import type { Log } from '../telemetry/log.js';
import { createOutageTeller } from '../telemetry/outage-teller.js';
import type { Connections } from './connections.js';
import { type Consumer, PROBE_TYPE } from './consume.js';
import { type Management, ManagementRefused } from './management.js';
import { CONTRACT_TOPOLOGY, declareTopology, TopologyMismatch } from './topology.js';

export interface BrokerWatch {
  /**
   * Declares the contract's topology; rejects with `TopologyMismatch` where the broker has another, with `StartError`
   * where the management API refuses the service.
   */
  verify: () => Promise<void>;
  start: () => void;
  stop: () => Promise<void>;
  /** Faults that could not be mended, one sentence each. */
  problems: () => readonly string[];
}

export interface BrokerWatchOptions {
  connections: Connections;
  /** Null: bindings and policies cannot be seen. */
  management: Pick<Management, 'readTopology'> | null;
  /** By queue name. */
  consumers: () => ReadonlyMap<string, Consumer>;
  /** By name, whether the channel could be published on at once. */
  publishers: () => Readonly<Record<string, boolean>>;
  /** Faults at the broker that the door knows of, one sentence each. */
  doorProblems: () => readonly string[];
  /** Tells operators of the problems, as they now are. */
  alarm: (problems: readonly string[]) => Promise<void>;
  log: Log;
  observe?: {
    waiting?(queue: string, messages: number): void;
    /** Dead letters that do not get away from a queue; told only where the management API answers. */
    stuck?(queue: string, messages: number): void;
    problems?(count: number): void;
    repaired?(what: 'queue' | 'consumer' | 'topology'): void;
  };
  /** Between two looks. A fault found at two of them is reported: within 30 s of its beginning. */
  everyMs?: number;
}

const EVERY_MS = 10_000;
/** A broker that answers nothing for so long is a problem; the heartbeat ends its connection a little later. */
const ANSWER_TIMEOUT_MS = 8_000;
const NOT_FOUND = 404;

/**
 * Looks at the broker now and then: mends what it can (declares what is gone, subscribes anew where a consumer gets
 * nothing), and tells what is wrong at two looks in a row.
 */
export function watchBroker(options: BrokerWatchOptions): BrokerWatch {
  const {
    connections,
    management,
    consumers,
    publishers,
    doorProblems,
    alarm,
    log,
    observe = {},
    everyMs = EVERY_MS,
  } = options;
  const managementTeller = createOutageTeller({
    log,
    what: "RabbitMQ's management API (RABBITMQ_MANAGEMENT_URL)",
    meanwhile: 'bindings and policies are not verified until it answers',
  });
  let sightings = new Map<string, ConsumerSighting>();
  /** As they were at the last look. */
  let queues: FoundTopology['queues'] = [];
  /** Faults of the last look, and those among them that had been there at the one before. */
  let seen: readonly string[] = [];
  let standing: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  let stopped = false;

  const look = async (): Promise<void> => {
    const found = [...judgeConnections(connections, publishers()), ...doorProblems(), ...(await lookAround())];
    const again = found.filter((problem) => seen.includes(problem));
    for (const problem of found.filter((one) => !seen.includes(one)))
      log.warn('broker: something is wrong', { problem });
    seen = found;
    const wasWrong = standing.length > 0;
    standing = again;
    observe.problems?.(again.length);
    if (again.length > 0) log.error('broker: not mended', { problems: again });
    if (again.length > 0 || wasWrong)
      await alarm(again).catch((error: unknown) => log.warn('alarm not raised', { error }));
  };

  const lookAround = async (): Promise<string[]> => {
    const link = connections.consuming.current();
    if (link === null) return [];
    try {
      return await inTime(async () => [...(await mendTopology(link)), ...(await mendConsumers(link))]);
    } catch (error) {
      log.warn('broker: could not look', { error });
      if (connections.consuming.current() !== link) return [];
      // A node that others have lost keeps its clients and serves none of them.
      connections.moveOn();
      return ['the broker does not answer'];
    }
  };

  /** Declares what is gone; answers what is otherwise than the contract says. */
  const mendTopology = async (link: ChannelModel): Promise<string[]> => {
    const found = await readTopology();
    const deleted = await findDeletedQueues(link, (queue, messages) => observe.waiting?.(queue, messages));
    for (const queue of deleted) {
      log.error('broker: a queue was deleted; it is declared anew', { queue });
      observe.repaired?.('queue');
    }
    // Told where it goes on: somebody deletes it again and again.
    const problems = deleted.map((queue) => `${queue} was deleted`);
    try {
      await declareTopology(link);
    } catch (error) {
      if (error instanceof TopologyMismatch) return [...problems, ...error.differences];
      throw error;
    }
    if (found === null)
      return management === null
        ? problems
        : [...problems, 'bindings and policies cannot be seen: the management API does not answer'];
    return [...problems, ...judgeDeadLetters(found), ...(await tellMended(differencesOf(found)))];
  };

  /** Null: there is no management API, or it does not answer. */
  const readTopology = async (): Promise<FoundTopology | null> => {
    if (management === null) return null;
    try {
      const found = await management.readTopology();
      managementTeller.back();
      return found;
    } catch (error) {
      managementTeller.failed(judgeBrokerFault(error).cause);
      return null;
    }
  };

  /** Where the management API is away there are none to be seen yet, which is told. */
  const findDifferences = async (api: Pick<Management, 'readTopology'>): Promise<string[]> => {
    try {
      return differencesOf(await api.readTopology());
    } catch (error) {
      if (error instanceof ManagementRefused)
        throw new StartError(
          'the management API refuses RABBITMQ_MANAGEMENT_URL (401): its user or password is wrong, or the user lacks the tag `management`',
        );
      managementTeller.failed(judgeBrokerFault(error).cause);
      return [];
    }
  };

  /** The differences from before the topology was declared that are still there. */
  const tellMended = async (before: readonly string[]): Promise<readonly string[]> => {
    if (before.length === 0) return [];
    const found = await readTopology();
    const after = found === null ? before : differencesOf(found);
    for (const mended of before.filter((difference) => !after.includes(difference))) {
      log.error('broker: mended', { difference: mended });
      observe.repaired?.('topology');
    }
    return after;
  };

  const judgeDeadLetters = (found: FoundTopology): string[] => {
    const stuck = new Map(
      findStuckDeadLetters(found.queues, queues).map(({ name, messages_dlx: messages = 0 }) => [name, messages]),
    );
    queues = found.queues;
    const ours = CONTRACT_TOPOLOGY.queues.map(({ name }) => name);
    for (const name of ours) observe.stuck?.(name, stuck.get(name) ?? 0);
    return ours
      .filter((name) => stuck.has(name))
      .map((name) => `what dies in ${name} does not reach the dead letters and is not answered`);
  };

  /** Subscribes anew where the broker knows no consumer, or one that gets nothing. */
  const mendConsumers = async (link: ChannelModel): Promise<string[]> => {
    const problems: string[] = [];
    const now = new Map<string, ConsumerSighting>();
    const channel = await openChannel(link);
    for (const [queue, consumer] of consumers()) {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      const before = sightings.get(queue) ?? null;
      const own = consumer.sight();
      const compared = compareSightings(own, before);
      const sighting = { ...own, ...compared, waiting: messageCount, consumers: consumerCount, probed: false };
      now.set(queue, sighting);
      if (sighting.state === 'away') problems.push(`nothing is consumed from ${queue}`);
      if (isBeyondMending(sighting)) problems.push(`the consumer of ${queue} gets nothing`);
      if (!isDeaf(sighting, before)) continue;
      log.error('broker: a consumer gets nothing; it subscribes anew', { queue, ...sighting });
      observe.repaired?.('consumer');
      consumer.renew();
      sighting.unheard = 0;
      sighting.renewals += 1;
    }
    sightings = now;
    await channel.close();
    await probe([...now].filter(([, { state, isFull }]) => state === 'registered' && !isFull));
    return problems;
  };

  /** Sends each queue a message that says nothing, and notes it; on a fresh channel, since one that knew a deleted queue may be deaf too. */
  const probe = async (hearing: readonly [string, ConsumerSighting][]): Promise<void> => {
    const link = connections.publishing.current();
    if (link === null || connections.publishing.state().blocked) return;
    const channel = await openChannel(link);
    for (const [queue] of hearing)
      channel.sendToQueue(queue, Buffer.alloc(0), { type: PROBE_TYPE, userId: connections.user, expiration: everyMs });
    await channel.close();
    for (const [, sighting] of hearing) sighting.probed = true;
  };

  const lookAgain = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      looking = look().finally(lookAgain);
    }, everyMs);
  };

  return {
    verify: async () => {
      const link = connections.consuming.current();
      if (link === null) throw new Error('no connection to the broker');
      await declareTopology(link);
      if (management === null) {
        log.warn('BINDINGS AND POLICIES ARE NOT VERIFIED: AMQP does not show them; set RABBITMQ_MANAGEMENT_URL');
        return;
      }
      const differences = await findDifferences(management);
      if (differences.length > 0) throw new TopologyMismatch(differences);
    },
    start: lookAgain,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
    problems: () => standing,
  };
}

const differencesOf = (found: FoundTopology): string[] => compareTopology(CONTRACT_TOPOLOGY, found);

function judgeConnections(connections: Connections, publishers: Readonly<Record<string, boolean>>): string[] {
  const { consuming, publishing } = connections.state();
  const problems: string[] = [];
  if (!consuming.connected) problems.push('the consuming connection is away');
  if (!publishing.connected) problems.push('the publishing connection is away');
  if (publishing.blocked) problems.push('the broker takes no publications');
  if (publishing.connected && !publishing.blocked) {
    for (const [name, ready] of Object.entries(publishers)) if (!ready) problems.push(`the channel of ${name} is away`);
  }
  return problems;
}

/** The call that was under way throws the reason why the broker closes it. */
async function openChannel(link: ChannelModel): Promise<Channel> {
  const channel = await link.createChannel();
  channel.on('error', () => undefined);
  return channel;
}

/** Names of the contract's queues that the broker has not; tells of the others how much waits in them. */
async function findDeletedQueues(
  link: ChannelModel,
  onQueue: (queue: string, messages: number) => void,
): Promise<string[]> {
  const deleted: string[] = [];
  let channel = await openChannel(link);
  for (const { name } of CONTRACT_TOPOLOGY.queues) {
    try {
      onQueue(name, (await channel.checkQueue(name)).messageCount);
    } catch (error) {
      if ((error as { code?: unknown }).code !== NOT_FOUND) throw error;
      deleted.push(name);
      // The broker has closed the channel over it.
      channel = await openChannel(link);
    }
  }
  await channel.close();
  return deleted;
}

async function inTime<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = clock.monotonicMs();
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer for ${Math.round(clock.monotonicMs() - startedAt)} ms`));
    }, ANSWER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work(), overdue]);
  } finally {
    clearTimeout(timer);
  }
}
