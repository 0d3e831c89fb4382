import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FAULTS, type FaultName } from './faults.js';
import { type FaultRun, runFault } from './run-fault.js';
import { openWorld, type World } from './world.js';

// Not among the tests of every day: `make faults`. FAULT_ROUNDS: how often each; FAULT_SEED: of the first round, as a
// failing run has told it, to replay what was drawn; ARGS='-t "broker killed"': one of them.

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 1);
const SEED = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 1_000_000));
const ROUND_MS = 300_000;

let world: World;
const runs: FaultRun[] = [];
beforeAll(async () => {
  world = await openWorld();
}, 120_000);
afterAll(async () => {
  process.stdout.write(`\n${toTable(runs)}\n`);
  await world.close();
}, 60_000);

test.each(Object.keys(FAULTS) as FaultName[])(
  '%s',
  async (fault) => {
    for (let round = 0; round < ROUNDS; round++) {
      const run = await runFault(world, fault, SEED + round);
      runs.push(run);
      process.stderr.write(`${fault}: ${(run.recoveryMs / 1_000).toFixed(1)} s, ${run.violations.length} violations\n`);
      if (run.violations.length > 0) process.stderr.write(`FAULT_SEED=${run.seed} ${fault}\n${world.logs()}\n`);
      expect({ seed: run.seed, violations: run.violations }).toEqual({ seed: run.seed, violations: [] });
    }
  },
  ROUNDS * ROUND_MS,
);

/** One line per fault, over its rounds: the worst recovery and memory, the sum of the rest. */
function toTable(all: readonly FaultRun[]): string {
  const head = ['fault', 'runs', 'requests', 'sent again', 'events', 'violations', 'recovery s', 'memory MB'];
  const rows = (Object.keys(FAULTS) as FaultName[]).flatMap((fault) => {
    const own = all.filter((run) => run.fault === fault);
    if (own.length === 0) return [];
    const sum = (of: (run: FaultRun) => number) => String(own.reduce((total, run) => total + of(run), 0));
    return [
      [
        fault,
        String(own.length),
        sum(({ requests }) => requests),
        sum(({ resent }) => resent),
        sum(({ events }) => events),
        sum(({ violations }) => violations.length),
        (Math.max(...own.map(({ recoveryMs }) => recoveryMs)) / 1_000).toFixed(1),
        String(Math.max(...own.map(({ memoryMb }) => memoryMb))),
      ],
    ];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
