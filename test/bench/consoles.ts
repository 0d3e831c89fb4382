import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { connectRpc } from '../support/rpc.js';
import { startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';
import { connectCaller } from './caller.js';
import { findListener, type ProcessGroup, usageOf } from './processes.js';
import { FIRST_USER, USERS, WORKS } from './works.js';

/**
 * Measures the cost of open consoles to the service. Allocations and releases run in closed loops, by turns with and
 * without readers that ask and listen as the console's first page does. Fresh servers come from the environment.
 */
const { values } = parseArgs({
  options: {
    consoles: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '32' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
    /** The accounts of each user. */
    accounts: { type: 'string', default: '1000' },
  },
});
const [seconds, rounds, inFlight] = [Number(values.seconds), Number(values.rounds), Number(values['in-flight'])];
const rabbitmqUrl = process.env.RABBITMQ_URL ?? 'amqp://localhost';
/** Registered at once. */
const CHUNK = 250;

const service = await startService({
  LOG_LEVEL: 'warn',
  JOBS_ENABLED: 'false',
  LIMITS_FILE: path.join(import.meta.dirname, 'limits.json'),
});
const client = await connectRpc(rabbitmqUrl);
for (let user = FIRST_USER; user < FIRST_USER + USERS; user++) {
  for (let from = 0; from < Number(values.accounts); from += CHUNK) {
    const accounts = Array.from({ length: Math.min(CHUNK, Number(values.accounts) - from) }, (_, index) => ({
      user_id: user,
      phone: `+${user}${String(from + index).padStart(6, '0')}`,
      session_data: telethonSession(),
    }));
    const reply = await client.call('admin.register', { accounts });
    if (!reply.success) throw new Error(JSON.stringify(reply));
  }
}
await client.close();
const caller = await connectCaller(rabbitmqUrl);

const readers = fork(path.join(import.meta.dirname, 'console-readers.ts'), [service.httpUrl, values.consoles], {
  execArgv: ['--import', 'tsx'],
});
readers.once('exit', (code) => {
  if (code !== null) throw new Error(`the readers ended with ${code}`);
});
const groups: ProcessGroup[] = [
  { name: 'service', pid: service.process.pid! },
  {
    name: 'postgresql',
    pid: findListener(process.env.DATABASE_URL ?? 'postgres://localhost', 5432),
    withChildren: true,
  },
  { name: 'redis', pid: findListener(process.env.REDIS_URL ?? 'redis://localhost', 6379) },
  { name: 'consoles', pid: readers.pid! },
];

/** Requests a second, and the CPU time of each group in a second, ms. */
async function measure(): Promise<{ perSecond: number; cpu: number[] }> {
  const before = groups.map(usageOf);
  const startedAt = performance.now();
  let requests = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async (_, worker) => {
      while (performance.now() < startedAt + seconds * 1000) {
        // Not in one expression: the sum would be read before the wait, and what others add meanwhile be lost.
        const asked = await WORKS.cycle(caller, worker);
        requests += asked;
      }
    }),
  );
  const tookS = (performance.now() - startedAt) / 1000;
  const cpu = groups.map((group, index) => (usageOf(group).cpuMs - before[index]!.cpuMs) / tookS);
  return { perSecond: requests / tookS, cpu };
}

/** Answers how many of their requests have failed so far. */
const tell = async (word: 'open' | 'close'): Promise<number> => {
  readers.send(word);
  const [failed] = (await once(readers, 'message')) as [number];
  return failed;
};

await measure();
const ratios: number[] = [];
for (let round = 0; round < rounds; round++) {
  const alone = await measure();
  await tell('open');
  const beside = await measure();
  const failed = await tell('close');
  if (failed > 0) console.log(`${failed} requests of the consoles failed`);
  ratios.push(beside.perSecond / alone.perSecond);
  const shown = [alone, beside].map(({ perSecond, cpu }) => {
    const used = groups.map(({ name }, index) => `${name} ${cpu[index]!.toFixed(0)}`).join(', ');
    return `${perSecond.toFixed(0)}/s (CPU ms a second: ${used})`;
  });
  console.log(`alone ${shown[0]}, beside ${values.consoles} consoles ${shown[1]}: ${ratios.at(-1)?.toFixed(3)}`);
}
ratios.sort((a, b) => a - b);
console.log(`median ${ratios[ratios.length >> 1]?.toFixed(3)} of the rate without consoles`);
readers.kill();
await caller.close();
await service.stop();
