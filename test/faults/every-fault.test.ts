import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FAULTS, type FaultName } from './faults.js';
import { type FaultRun, RECOVERY_MS, runFault } from './run-fault.js';
import { toTable } from './table.js';
import { openWorld, type World } from './world.js';

// Not among the tests of every day: `make faults`. FAULT_ROUNDS: how often each; FAULT_SEED: of the first round, as a
// failing run has told it, to replay what was drawn; ARGS='-t "broker killed"': one of them.

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 1);
const SEED = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 1_000_000));
const ROUND_MS = 300_000;
const LOCAL = path.resolve(import.meta.dirname, '../../.local');
const RESULT = path.join(LOCAL, 'faults.json');

let world: World;
const runs: FaultRun[] = [];
beforeAll(async () => {
  mkdirSync(LOCAL, { recursive: true });
  world = await openWorld();
});
afterAll(async () => {
  const rows = runs.map(({ ledger: _, userIds: __, ...row }) => row);
  writeFileSync(RESULT, JSON.stringify({ seed: SEED, recoverWithinMs: RECOVERY_MS, runs: rows }, null, 2));
  process.stdout.write(`\n${toTable(runs)}\n\nIn full: ${RESULT}\n`);
  await world.close();
});

test.each(Object.keys(FAULTS) as FaultName[])(
  '%s',
  async (fault) => {
    // There is one standby.
    const rounds = fault.startsWith('failover') ? 1 : ROUNDS;
    for (let round = 0; round < rounds; round++) {
      const run = await runFault(world, fault, FAULTS[fault], SEED + round);
      runs.push(run);
      process.stderr.write(`${fault}: ${(run.recoveryMs / 1_000).toFixed(1)} s, ${run.violations.length} violations\n`);
      if (run.violations.length > 0) writeFileSync(path.join(LOCAL, `faults-${run.seed}.log`), world.logs());
      const told = run.violations.slice(0, 10).map(({ invariant, what }) => `${invariant} ${what}`);
      expect({ FAULT_SEED: run.seed, violations: told }).toEqual({ FAULT_SEED: run.seed, violations: [] });
    }
  },
  ROUNDS * ROUND_MS,
);
