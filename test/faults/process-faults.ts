import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import type { RunningService } from '../support/service.js';
import { type Fault, type FaultContext, shortWhile } from './fault.js';

const OPERATIONS = ['account.allocate', 'account.release', 'action.acquire', 'account.renew', 'action.record'];
const SHIFT_CLOCK = pathToFileURL(path.join(import.meta.dirname, 'shift-clock.mjs')).href;
const HOUR_MS = 3_600_000;
/** A stop that takes longer has not drained but run out of time. */
const DRAIN_MS = 10_000;
/** Some seconds after which the broker's statistics are up to date. */
const STATISTICS_MS = 6_000;

/** Processes that die when a request of the operation drawn comes to the point. */
const killedAt =
  (point: 'before-commit' | 'after-commit' | 'after-reply'): Fault =>
  async ({ world, random, injected }) => {
    const doomed = await Promise.all(
      [1, 2].map(() => world.startExtra({ FAIL_POINT: `${random.pick(OPERATIONS)}:${point}` })),
    );
    for (const service of doomed) if (service === null || (await hasEnded(service, 5_000))) injected();
  };

async function hasEnded({ process: child }: RunningService, withinMs: number): Promise<boolean> {
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  if (!isOver()) await Promise.race([once(child, 'exit'), pause(withinMs)]);
  return isOver();
}

async function toldToStop({ world, random, injected, report }: FaultContext): Promise<void> {
  const before = await countRedelivered(world);
  for (let stops = 2; stops > 0; stops--) {
    const service = world.services().at(random.between(0, 1));
    if (service === undefined) continue;
    service.process.kill('SIGTERM');
    injected();
    if (!(await hasEnded(service, DRAIN_MS))) report(`SIGTERM: not ended within ${DRAIN_MS} ms`);
    else if (service.process.exitCode !== 0) report(`SIGTERM: exit code ${service.process.exitCode}`);
    if (service.log().includes('requests left to the broker')) report('SIGTERM: requests were left to the broker');
    await shortWhile(random);
  }
  await pause(STATISTICS_MS);
  const redelivered = (await countRedelivered(world)) - before;
  if (redelivered > 0) report(`SIGTERM: ${redelivered} requests were delivered again`);
}

async function countRedelivered(world: FaultContext['world']): Promise<number> {
  const queues = (await world.manage('GET', '/api/queues?columns=name,message_stats.redeliver')) as {
    message_stats?: { redeliver?: number };
  }[];
  return queues.reduce((sum, { message_stats: stats }) => sum + (stats?.redeliver ?? 0), 0);
}

/** Jobs every few seconds in three processes, one of which dies at its work: every occurrence is run once. */
async function twoSchedulers({ world, random, injected, report }: FaultContext): Promise<void> {
  const env = {
    PROCESS_RECOVERIES_CADENCE: '2',
    CLEANUP_LOCKS_CADENCE: '3',
    HEALTH_SCAN_CADENCE: '4',
    REPORT_CADENCE: '5',
    JOB_LEASE_SECONDS: '2',
  };
  const own = await Promise.all([world.startExtra(env), world.startExtra(env)]);
  await pause(random.between(2_000, 6_000));
  await own[0]?.kill();
  injected();
  const runs = () =>
    [...world.logs().matchAll(/^.*"message":"job ended".*"outcome":"done".*$/gm)]
      .map(([line]) => JSON.parse(line) as { job: string; scheduled_for: string })
      .map(({ job, scheduled_for: occurrence }) => `${job} ${occurrence}`);
  const before = runs().length;
  await eventually('the other one goes on', () => runs().length >= before + 4, 60_000);
  await own[1]?.stop();
  const twice = runs().filter((run, index, all) => all.indexOf(run) !== index);
  if (twice.length > 0) report(`run twice: ${twice.join(', ')}`);
}

export const PROCESS_FAULTS = {
  'process killed': async ({ world, random, injected }) => {
    for (let kills = random.between(1, 3); kills > 0; kills--) {
      if (world.services().at(random.between(0, 1))?.process.kill('SIGKILL') === true) injected();
      await shortWhile(random);
    }
  },
  'process killed before the commit': killedAt('before-commit'),
  'process killed after the commit': killedAt('after-commit'),
  'process killed before the acknowledgement': killedAt('after-reply'),
  'SIGTERM under load': toldToStop,
  'clocks of two processes an hour off': async ({ world, random, injected }) => {
    const shifted = await Promise.all(
      [HOUR_MS, -HOUR_MS].map((ms) =>
        world.startExtra({ NODE_OPTIONS: `--import=${SHIFT_CLOCK}`, CLOCK_SHIFT_MS: String(ms) }),
      ),
    );
    injected(shifted.length);
    await pause(random.between(3_000, 5_000));
    await Promise.all(shifted.map(async (service) => service?.stop()));
  },
  'two schedulers, one killed': twoSchedulers,
} as const satisfies Record<string, Fault>;
