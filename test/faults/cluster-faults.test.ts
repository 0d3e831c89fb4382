import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CLUSTER_FAULTS } from './cluster-faults.js';
import { startCluster } from './cluster.js';
import type { Fault } from './fault.js';
import { type FaultRun, runFault } from './run-fault.js';
import { toTable } from './table.js';
import { openWorld, type World } from './world.js';

// Not among the tests of every day: `make faults-cluster`. FAULT_SEED replays what was drawn.

const SEED = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 1_000_000));
const LOCAL = path.resolve(import.meta.dirname, '../../.local');

let world: World;
const runs: FaultRun[] = [];
beforeAll(async () => {
  world = await openWorld(startCluster);
}, 240_000);
afterAll(async () => {
  process.stdout.write(`\n${toTable(runs)}\n`);
  await world.close();
});

test.each(Object.entries<Fault>(CLUSTER_FAULTS))(
  '%s',
  async (name, fault) => {
    const run = await runFault(world, name, fault, SEED);
    runs.push(run);
    process.stderr.write(
      `${name}: silent ${(run.silenceMs / 1_000).toFixed(1)} s, ${run.violations.length} violations\n`,
    );
    if (run.violations.length > 0) writeFileSync(path.join(LOCAL, `faults-cluster-${SEED}.log`), world.logs());
    const told = run.violations.slice(0, 10).map(({ invariant, what }) => `${invariant} ${what}`);
    expect({ FAULT_SEED: SEED, violations: told }).toEqual({ FAULT_SEED: SEED, violations: [] });
  },
  300_000,
);
