import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import { DEAD_LETTERS, PARKED, REQUEST_QUEUE_KEYS, REQUEST_QUEUES, RETRY_STEPS } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import { telethonSession } from '../support/session-strings.js';
import { openBus, subscribe } from './bus.js';
import { startCallers } from './callers.js';
import { FAILOVER } from './failover.js';
import type { Fault } from './fault.js';
import { judge, judgeForgetful, type Limits, type Violation } from './judge.js';
import { createLedger, type Ledger, type LedgerRequest } from './ledger.js';
import { createRandom } from './random.js';
import type { World } from './world.js';

/** One row of the table that the suite prints. */
export interface FaultRun {
  fault: string;
  seed: number;
  requests: number;
  /** Requests that were sent more than once. */
  resent: number;
  /** How often something was broken. */
  injected: number;
  events: number;
  violations: Violation[];
  /** From the end of the fault until every process serves and every request of before is answered, milliseconds. */
  recoveryMs: number;
  /** The longest time in which nobody got an answer over RabbitMQ, milliseconds. */
  silenceMs: number;
  /** The most that a process has taken at any time. */
  memoryMb: number;
  /** The record of requests and answers that it was judged by. */
  ledger: Ledger;
  userIds: number[];
}

/** Those of limits.json. */
export const LIMITS: Limits = { hourly: { invite: 5, message: 12, parse: 30 }, channelDaily: 3 };
const USERS = 2;
const ACCOUNTS = 10;
/** Time limit for a recovery. Start of a process, its connections and a heartbeat are in it. */
export const RECOVERY_MS = 30_000;
/** Until queues and outbox are empty: a request on the retry ladder may be there for a while. */
const QUIET_MS = 60_000;
/**
 * The peak of memory. A minute with 256 requests in flight takes 370 MB, which the next collections give back; each
 * job's thread takes 50.
 */
const MEMORY_MB = 512;
const QUEUES = [
  ...REQUEST_QUEUE_KEYS.map((key) => REQUEST_QUEUES[key].name),
  ...RETRY_STEPS.map(({ name }) => name),
  DEAD_LETTERS.name,
];

/** Load, a fault at a moment of the seed's choice, load again, quiet, judgement. */
export async function runFault(world: World, name: string, fault: Fault, seed: number): Promise<FaultRun> {
  const random = createRandom(seed);
  const ledger = createLedger();
  const url = world.brokerUrls;
  const userIds = Array.from({ length: USERS }, () => randomInt(1_000_000_000));
  const subscriber = await subscribe(url, ledger);
  const bus = openBus(url, ledger);
  await world.untilReady();
  for (const userId of userIds) {
    const accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({
      user_id: userId,
      phone: `+${userId}${String(index).padStart(4, '0')}`,
      session_data: telethonSession(),
    }));
    const reply = await bus.ask('admin.register', { accounts });
    if (!reply.success) throw new Error(JSON.stringify(reply));
  }

  const httpUrls = () => world.services().map(({ httpUrl }) => httpUrl);
  const callers = startCallers(url, httpUrls, ledger, userIds, random.fork());
  const violations: Violation[] = [];
  let injected = 0;
  const isForgetful = Object.hasOwn(FAILOVER, name);
  try {
    await pause(random.between(300, 1_000));
    await fault({
      ...{ world, random, userIds, bus },
      injected: (times = 1) => {
        injected += times;
      },
      report: (what) => void violations.push({ invariant: 'the fault itself', what }),
    });
    const mendedAt = ledger.now();
    await untilRecovered(world, ledger).catch((error: Error) =>
      violations.push({ invariant: 'I5', what: error.message }),
    );
    const recoveryMs = ledger.now() - mendedAt;
    await pause(500);
    await callers.stop().catch((error: Error) => violations.push({ invariant: 'I3', what: error.message }));
    await untilQuiet(world, url, isForgetful).catch((error: Error) =>
      violations.push({ invariant: 'I5', what: error.message }),
    );
    violations.push(...(isForgetful ? judgeForgetful(ledger, userIds) : await judge(world, ledger, userIds, LIMITS)));
    const memoryMb = largestProcess(world);
    if (memoryMb > MEMORY_MB) violations.push({ invariant: 'I5', what: `a process takes ${memoryMb} MB` });
    const requests = [...ledger.requests.values()];
    const resent = requests.filter(({ sentAt }) => sentAt.length > 1).length;
    return {
      ...{ fault: name, seed, injected, violations, recoveryMs, memoryMb, ledger, userIds },
      silenceMs: longestSilence(requests),
      ...{ requests: requests.length, resent, events: ledger.events.length },
    };
  } finally {
    await world.mend();
    await callers.close();
    await bus.close();
    await subscriber.close();
  }
}

function longestSilence(requests: readonly LedgerRequest[]): number {
  const instants = requests
    .filter(({ door }) => door === 'amqp')
    .flatMap(({ answers }) => answers.map(({ at }) => at))
    .sort((a, b) => a - b);
  return Math.max(0, ...instants.slice(1).map((at, index) => at - (instants[index] ?? at)));
}

/** Every process serves, and every earlier request is answered. */
async function untilRecovered(world: World, ledger: Ledger): Promise<void> {
  const before = [...ledger.requests.values()].filter(({ repeats }) => repeats);
  await world.untilReady();
  await eventually(
    'every request from before the end of the fault is answered',
    () => before.every(({ answers }) => answers.length > 0),
    RECOVERY_MS,
  );
}

/** I5: queues and outbox are empty, and nothing was parked. */
async function untilQuiet(world: World, url: string, isForgetful: boolean): Promise<void> {
  const connection = await connect(url.split(',')[0] ?? '');
  try {
    const channel = await connection.createChannel();
    for (const queue of QUEUES) {
      const isEmpty = async () => (await channel.checkQueue(queue)).messageCount === 0;
      await eventually(`${queue} is empty`, isEmpty, QUIET_MS);
    }
    const { messageCount } = await channel.purgeQueue(PARKED.name);
    // An operator looks at requests that name a permit which a failover has forgotten.
    if (messageCount > 0 && !isForgetful) throw new Error(`${messageCount} messages were parked`);
  } finally {
    await connection.close();
  }
  const unpublished = () => world.query('SELECT FROM outbox');
  await eventually('the outbox is empty', async () => (await unpublished()).length === 0, QUIET_MS);
}

/** Age of the processes that run; those that have ended were younger. */
function largestProcess(world: World): number {
  if (process.platform !== 'linux') return 0;
  const peaks = world.services().map(({ process: { pid } }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  });
  return Math.round(Math.max(0, ...peaks) / 1_024);
}
