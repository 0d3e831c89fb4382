import type { ChannelModel } from 'amqplib';
import { compareTopology, type FoundTopology } from '../decide/messages/compare-topology.js';
import { findStuckDeadLetters } from '../decide/messages/find-stuck-dead-letters.js';
import { judgeBrokerFault } from '../decide/start/judge-faults.js';
import { StartError } from '../decide/start/start-error.js';
import type { Log } from '../telemetry/log.js';
import { createOutageTeller } from '../telemetry/outage-teller.js';
import { type Management, ManagementRefused } from './management.js';
import { openChannel } from './open-channel.js';
import { CONTRACT_TOPOLOGY, declareTopology, TopologyMismatch } from './topology.js';
import type { BrokerWatchObserver } from './watch-observer.js';

export interface TopologyMender {
  /**
   * Declares the contract's topology; rejects with `TopologyMismatch` where the broker has another, with `StartError`
   * where the management API refuses the service.
   */
  verify: (link: ChannelModel) => Promise<void>;
  /** Declares what is gone; answers what is otherwise than the contract says. */
  mend: (link: ChannelModel) => Promise<string[]>;
}

export interface TopologyMenderOptions {
  /** Null: bindings and policies cannot be seen. */
  management: Pick<Management, 'readTopology'> | null;
  log: Log;
  observe: BrokerWatchObserver;
}

const NOT_FOUND = 404;

export function createTopologyMender({ management, log, observe }: TopologyMenderOptions): TopologyMender {
  const reader = management === null ? null : createTopologyReader(management, log);
  const judgeDeadLetters = createDeadLetterJudge(observe);

  const mend = async (link: ChannelModel): Promise<string[]> => {
    const found = (await reader?.read()) ?? null;
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
    if (reader === null) return problems;
    if (found === null)
      return [...problems, 'bindings and policies cannot be seen: the management API does not answer'];
    return [...problems, ...judgeDeadLetters(found), ...(await tellMended(reader, differencesOf(found)))];
  };

  /** The differences from before the topology was declared that are still there. */
  const tellMended = async (reading: TopologyReader, before: readonly string[]): Promise<readonly string[]> => {
    if (before.length === 0) return [];
    const found = await reading.read();
    const after = found === null ? before : differencesOf(found);
    for (const mended of before.filter((difference) => !after.includes(difference))) {
      log.error('broker: mended', { difference: mended });
      observe.repaired?.('topology');
    }
    return after;
  };

  return {
    verify: async (link) => {
      await declareTopology(link);
      if (reader === null) {
        log.warn('BINDINGS AND POLICIES ARE NOT VERIFIED: AMQP does not show them; set RABBITMQ_MANAGEMENT_URL');
        return;
      }
      const differences = await reader.readDifferences();
      if (differences.length > 0) throw new TopologyMismatch(differences);
    },
    mend,
  };
}

const differencesOf = (found: FoundTopology): string[] => compareTopology(CONTRACT_TOPOLOGY, found);

/** Reads the topology from the management API, and tells when that is away and when it is back. */
interface TopologyReader {
  /** Null: the API does not answer. */
  read: () => Promise<FoundTopology | null>;
  /** Differences from the contract, at the start. Where the API is away there are none to be seen yet, which is told. */
  readDifferences: () => Promise<string[]>;
}

function createTopologyReader(management: Pick<Management, 'readTopology'>, log: Log): TopologyReader {
  const teller = createOutageTeller({
    log,
    what: "RabbitMQ's management API (RABBITMQ_MANAGEMENT_URL)",
    meanwhile: 'bindings and policies are not verified until it answers',
  });
  return {
    read: async () => {
      try {
        const found = await management.readTopology();
        teller.back();
        return found;
      } catch (error) {
        teller.failed(judgeBrokerFault(error).cause);
        return null;
      }
    },
    readDifferences: async () => {
      try {
        return differencesOf(await management.readTopology());
      } catch (error) {
        if (error instanceof ManagementRefused)
          throw new StartError(
            'the management API refuses RABBITMQ_MANAGEMENT_URL (401): its user or password is wrong, or the user lacks the tag `management`',
          );
        teller.failed(judgeBrokerFault(error).cause);
        return [];
      }
    },
  };
}

/** Answers which queues do not get rid of their dead letters, by comparing each look with the one before. */
function createDeadLetterJudge(observe: BrokerWatchObserver): (found: FoundTopology) => string[] {
  /** As they were at the last look. */
  let queues: FoundTopology['queues'] = [];
  return (found) => {
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
