import { clock } from '../clock.js';
import type { Log } from '../telemetry/log.js';
import type { Connections } from './connections.js';
import type { Consumer } from './consume.js';
import type { Management } from './management.js';
import { createConsumerMender } from './mend-consumers.js';
import { createTopologyMender } from './mend-topology.js';
import type { BrokerWatchObserver } from './watch-observer.js';

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
  observe?: BrokerWatchObserver;
  /** Between two looks. A fault found at two of them is reported: within 30 s of its beginning. */
  everyMs?: number;
}

const EVERY_MS = 10_000;
/** A broker that answers nothing for so long is a problem; the heartbeat ends its connection a little later. */
const ANSWER_TIMEOUT_MS = 8_000;

/**
 * Looks at the broker now and then. It declares missing entities and subscribes anew where a consumer gets nothing. It
 * reports a fault that it sees at two looks in a row.
 */
export function watchBroker(options: BrokerWatchOptions): BrokerWatch {
  const { connections, management, consumers, log, observe = {}, everyMs = EVERY_MS } = options;
  const topology = createTopologyMender({ management, log, observe });
  const mendConsumers = createConsumerMender({ connections, consumers, log, observe, everyMs });
  const teller = createProblemTeller(options);
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  let stopped = false;

  const look = async (): Promise<void> => {
    const known = [...judgeConnections(connections, options.publishers()), ...options.doorProblems()];
    await teller.tell([...known, ...(await lookAround())]);
  };

  const lookAround = async (): Promise<string[]> => {
    const link = connections.consuming.current();
    if (link === null) return [];
    try {
      return await inTime(async () => [...(await topology.mend(link)), ...(await mendConsumers(link))]);
    } catch (error) {
      log.warn('broker: could not look', { error });
      if (connections.consuming.current() !== link) return [];
      // A node that others have lost keeps its clients and serves none of them.
      connections.moveOn();
      return ['the broker does not answer'];
    }
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
      await topology.verify(link);
    },
    start: lookAgain,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
    problems: teller.standing,
  };
}

interface ProblemTeller {
  /** Takes what a look has found: logs it, and alarms operators of what the look before had found already. */
  tell: (found: readonly string[]) => Promise<void>;
  /** Faults of the last look that had been there at the one before. */
  standing: () => readonly string[];
}

function createProblemTeller({
  alarm,
  log,
  observe = {},
}: Pick<BrokerWatchOptions, 'alarm' | 'log' | 'observe'>): ProblemTeller {
  /** Faults of the last look, and those among them that had been there at the one before. */
  let seen: readonly string[] = [];
  let standing: readonly string[] = [];
  return {
    tell: async (found) => {
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
    },
    standing: () => standing,
  };
}

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
