import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import pg from 'pg';
import { askHttp, type RunningService, startService } from '../support/service.js';
import { auditGrants, LIMITS_FILE } from './audit.js';
import { type Caller, connectCaller } from './caller.js';
import { busyMs, findListener, type ProcessGroup, type Usage, usageOf } from './processes.js';
import { ECHO_QUEUE, FIRST_SKETCH_USER, FIRST_USER, registerFleet, type WorkName, WORKS } from './works.js';

/**
 * Requests per second in closed loops, each kind of work beside an empty echo on the same queue type. Both run by turns
 * in every round and are compared pair by pair, so the ratio holds on any machine. It prints the CPU of each process
 * per request. Afterwards what was written is searched for double grants and broken limits. Servers come from the
 * environment, fresh ones, on this machine.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    'in-flight': { type: 'string', default: '1,32,256' },
    works: { type: 'string', default: 'cycle,acquire,check,mix,sketch' },
    /** The accounts of each user. */
    accounts: { type: 'string', default: '100' },
    'warm-up': { type: 'string', default: '10' },
    'log-level': { type: 'string', default: 'warn' },
    /** Processes of the service. */
    instances: { type: 'string', default: '1' },
  },
});
const seconds = Number(values.seconds);
const works = values.works.split(',') as WorkName[];
const rabbitmqUrl = process.env.RABBITMQ_URL ?? 'amqp://localhost';
/** More than this share of the processors at work for others is said. */
const QUIET_SHARE = 0.05;

/** Measures of one kind of work in one round. */
interface Measured {
  perSecond: number;
  /** Lengths of one round of the work, ascending, milliseconds. */
  lengths: number[];
  /** CPU per request by process, µs. */
  cpu: Record<string, number>;
  /** Calls of the service that read and write, per request. */
  calls: { reads: number; writes: number };
  batch: number;
  /** Share of the batches that took no locks. */
  unlocked: number;
  /** Share of the processors at work for others. */
  foreign: number;
}

interface Stage {
  caller: Caller;
  groups: ProcessGroup[];
  services: readonly RunningService[];
}

async function startEcho(): Promise<{ close: () => Promise<void> }> {
  const connection = await connect(rabbitmqUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.assertQueue(ECHO_QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.prefetch(256);
  await channel.consume(ECHO_QUEUE, (message) => {
    if (message === null) return;
    const { replyTo, correlationId } = message.properties as { replyTo: string; correlationId: string };
    channel.sendToQueue(replyTo, Buffer.from('{"success":true}'), { correlationId });
    channel.ack(message);
  });
  return { close: () => connection.close() };
}

/** Batches of requests on accounts and requests in them so far, as the instances count them, and those that took no locks. */
async function countBatches(services: readonly RunningService[]) {
  const pages = await Promise.all(services.map(({ httpUrl }) => askHttp(`${httpUrl}/metrics`)));
  const text = pages.map((page) => page.text).join('\n');
  const sum = (series: string) =>
    [...text.matchAll(new RegExp(`^account_manager_${series}[^ ]* (\\d+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    batches: sum('batch_size_count\\{operation="accounts"'),
    requests: sum('batch_size_sum\\{operation="accounts"'),
    unlocked: sum('memory_batches_total\\{outcome="written"'),
  };
}

async function measure({ caller, groups, services }: Stage, name: WorkName, inFlight: number, forSeconds: number) {
  const lengths: number[] = [];
  let requests = 0;
  const batchesBefore = await countBatches(services);
  const [busyBefore, usedBefore] = [busyMs(), groups.map(usageOf)];
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async (_, worker) => {
      while (performance.now() < startedAt + forSeconds * 1000) {
        const from = performance.now();
        const asked = await WORKS[name](caller, worker);
        requests += asked;
        lengths.push(performance.now() - from);
      }
    }),
  );
  const tookMs = performance.now() - startedAt;
  const used = new Map<string, Usage>();
  groups.forEach((group, index) => {
    const [now, before, others] = [usageOf(group), usedBefore[index]!, used.get(group.name)];
    used.set(group.name, {
      cpuMs: now.cpuMs - before.cpuMs + (others?.cpuMs ?? 0),
      reads: now.reads - before.reads + (others?.reads ?? 0),
      writes: now.writes - before.writes + (others?.writes ?? 0),
    });
  });
  const ours = [...used.values()].reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const batchesNow = await countBatches(services);
  const serving = used.get(name === 'sketch' ? 'sketch' : 'service');
  const batches = batchesNow.batches - batchesBefore.batches;
  return {
    perSecond: requests / (tookMs / 1000),
    lengths: lengths.sort((a, b) => a - b),
    cpu: Object.fromEntries([...used].map(([group, { cpuMs }]) => [group, (cpuMs * 1000) / requests])),
    calls: { reads: (serving?.reads ?? 0) / requests, writes: (serving?.writes ?? 0) / requests },
    batch: batches === 0 ? 0 : (batchesNow.requests - batchesBefore.requests) / batches,
    unlocked: batches === 0 ? 0 : (batchesNow.unlocked - batchesBefore.unlocked) / batches,
    foreign: Math.max(0, busyMs() - busyBefore - ours) / (tookMs * cpus().length),
  } satisfies Measured;
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

function describe(name: string, rounds: readonly Measured[], ratios: readonly number[]): string {
  const lengths = rounds.flatMap((round) => round.lengths).sort((a, b) => a - b);
  const at = (share: number) =>
    (lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))] ?? 0).toFixed(1);
  const names = Object.keys(rounds[0]?.cpu ?? {});
  const cpu = names.map((group) => [group, Math.round(median(rounds.map((round) => round.cpu[group] ?? 0)))] as const);
  const calls = (kind: 'reads' | 'writes') => median(rounds.map((round) => round.calls[kind])).toFixed(2);
  const figures = [
    `${median(rounds.map(({ perSecond }) => perSecond))
      .toFixed(0)
      .padStart(6)} requests/s`,
    ...(ratios.length > 0 ? [`${median(ratios).toFixed(3)} of the echo (best ${Math.max(...ratios).toFixed(3)})`] : []),
    `p50 ${at(0.5)} p99 ${at(0.99)} p99.9 ${at(0.999)} ms`,
    `CPU µs/request: ${cpu.flatMap(([group, us]) => (us > 0 ? [`${group} ${us}`] : [])).join(', ')}`,
    `batch ${median(rounds.map(({ batch }) => batch)).toFixed(1)}, ${(100 * median(rounds.map(({ unlocked }) => unlocked))).toFixed(0)} % without locks`,
    `socket reads ${calls('reads')} writes ${calls('writes')} a request`,
  ];
  return `  ${name.padEnd(8)} ${figures.join(' | ')}`;
}

async function compare(stage: Stage, inFlight: number): Promise<void> {
  const measured = new Map<WorkName, Measured[]>([['echo', []], ...works.map((name) => [name, []] as const)] as never);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, rounds] of measured) rounds.push(await measure(stage, name, inFlight, seconds));
  }
  const foreign = Math.max(...[...measured.values()].flat().map((one) => one.foreign));
  const quiet =
    foreign <= QUIET_SHARE ? '' : `; NOT QUIET: others used up to ${Math.round(foreign * 100)} % of the processors`;
  console.log(`${inFlight} in flight (load of the machine ${loadavg()[0]?.toFixed(1)}${quiet})`);
  const echo = measured.get('echo') ?? [];
  for (const [name, rounds] of measured) {
    const ratios = name === 'echo' ? [] : rounds.map((one, index) => one.perSecond / (echo[index]?.perSecond ?? 1));
    console.log(describe(name, rounds, ratios));
  }
}

async function startSketch() {
  const child = fork(path.join(import.meta.dirname, 'sketch.ts'), { execArgv: ['--import', 'tsx'] });
  child.once('exit', (code) => {
    if (code !== null && code !== 0) process.exit(1);
  });
  await once(child, 'message');
  return child;
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
// Without jobs: what an instance catches up at its start would be measured along.
const settings = { LOG_LEVEL: values['log-level'], JOBS_ENABLED: 'false', LIMITS_FILE };
const services = await Promise.all(Array.from({ length: Number(values.instances) }, () => startService(settings)));
const caller = await connectCaller(rabbitmqUrl);
await registerFleet(caller, FIRST_USER, Number(values.accounts));
await registerFleet(caller, FIRST_SKETCH_USER, Number(values.accounts));
await pool.query('VACUUM ANALYZE');
const echo = await startEcho();
const sketch = works.includes('sketch') ? await startSketch() : null;
const stage: Stage = {
  caller,
  services,
  groups: [
    { name: 'rabbitmq', pid: findListener(rabbitmqUrl, 5672) },
    {
      name: 'postgresql',
      pid: findListener(process.env.DATABASE_URL ?? 'postgres://localhost', 5432),
      withChildren: true,
    },
    { name: 'redis', pid: findListener(process.env.REDIS_URL ?? 'redis://localhost', 6379) },
    ...services.map(({ process: { pid } }) => ({ name: 'service', pid: pid! })),
    { name: 'client', pid: process.pid },
    ...(sketch === null ? [] : [{ name: 'sketch', pid: sketch.pid! }]),
  ],
};
// Until the compiler has seen what is hot: a service that runs for days is measured, not one just started.
await measure(stage, 'echo', 256, 1);
for (const name of works) await measure(stage, name, 256, Number(values['warm-up']) / works.length);
for (const inFlight of values['in-flight'].split(',').map(Number)) await compare(stage, inFlight);

const violations = await auditGrants(pool);
console.log(violations.length === 0 ? 'nothing granted twice, nothing over a limit' : violations.join('\n'));
sketch?.kill();
await echo.close();
await caller.close();
await Promise.all(services.map((service) => service.stop()));
await pool.end();
process.exitCode = violations.length === 0 ? 0 : 1;
