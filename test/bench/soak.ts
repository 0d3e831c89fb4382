import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startService } from '../support/service.js';
import { percentiles } from '../support/steady-load.js';
import { auditGrants, LIMITS_FILE } from './audit.js';
import { connectCaller } from './caller.js';
import { FIRST_USER, registerFleet, WORKS } from './works.js';

/**
 * Keeps a mixed load going for long, with the jobs running, and looks at the service's memory: what it holds in the last
 * third of the time may be a fifth more than in the middle one. Ends with code 1 where it is more, or where something
 * was granted twice or beyond a limit. Fresh servers come from the environment.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    /** Rounds of the mix, of 20 requests each, a second. */
    rounds: { type: 'string', default: '5' },
  },
});
const endAt = performance.now() + Number(values.minutes) * 60_000;
const SAMPLE_MS = 5_000;
const MOST_GROWTH = 1.2;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
const service = await startService({ LOG_LEVEL: 'error', LIMITS_FILE });
const caller = await connectCaller(process.env.RABBITMQ_URL ?? 'amqp://localhost');
await registerFleet(caller, FIRST_USER, 100);

const memoryMiB = (): number => {
  const status = readFileSync(`/proc/${service.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
};

const samples: number[] = [];
const lengths: number[] = [];
let failed = 0;
let inWork = 0;
let nextSampleAt = 0;
for (let round = 0; performance.now() < endAt; round++) {
  if (performance.now() >= nextSampleAt) {
    nextSampleAt = performance.now() + SAMPLE_MS;
    samples.push(memoryMiB());
    if (samples.length % 12 === 0)
      console.log(`  ${samples.length / 12} min: ${samples.at(-1)?.toFixed(0)} MiB, ${round} rounds`);
  }
  if (inWork < 100) {
    const from = performance.now();
    inWork += 1;
    void WORKS.mix(caller, round)
      .catch(() => (failed += 1))
      .then(() => {
        inWork -= 1;
        lengths.push(performance.now() - from);
      });
  }
  await pause(1000 / Number(values.rounds));
}
while (inWork > 0) await pause(50);

const highest = (part: readonly number[]): number => Math.max(...part);
const third = Math.floor(samples.length / 3);
const [middle, last] = [highest(samples.slice(third, 2 * third)), highest(samples.slice(2 * third))];
const violations = [
  ...(await auditGrants(pool)),
  ...(last > middle * MOST_GROWTH ? [`memory grew from ${middle.toFixed(0)} to ${last.toFixed(0)} MiB`] : []),
  ...(failed > 0 ? [`${failed} rounds failed`] : []),
];
const early = lengths.slice(0, Math.floor(lengths.length / 3));
console.log(`first third  ${percentiles(early)}`);
console.log(`last third   ${percentiles(lengths.slice(-early.length))}`);
console.log(
  `memory: ${highest(samples.slice(0, third)).toFixed(0)}, ${middle.toFixed(0)}, ${last.toFixed(0)} MiB at most in each third`,
);
console.log(violations.length === 0 ? 'flat; nothing granted twice, nothing over a limit' : violations.join('\n'));
await caller.close();
await service.stop();
await pool.end();
process.exitCode = violations.length === 0 ? 0 : 1;
