import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import pg from 'pg';
import { EXCHANGES, REQUEST_QUEUES } from '../../contracts/topology.js';
import { type RunningService, startService } from '../support/service.js';
import { percentiles } from '../support/steady-load.js';
import { auditGrants, LIMITS_FILE } from './audit.js';
import { type Caller, connectCaller } from './caller.js';
import { FIRST_USER, registerFleet, WORKS } from './works.js';

/**
 * Measures how a service that was away works off the actions that have gathered: few of them, then many, each for the same
 * time, beside callers who allocate and release. Fresh servers come from the environment.
 */
const { values } = parseArgs({
  options: {
    few: { type: 'string', default: '100000' },
    many: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '30' },
  },
});
const seconds = Number(values.seconds);
const [CALLERS, CHUNK, SAMPLE_MS, WARM_UP_MS] = [8, 5_000, 500, 10_000];
const url = process.env.RABBITMQ_URL ?? 'amqp://localhost';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
const start = (): Promise<RunningService> => startService({ LOG_LEVEL: 'error', LIMITS_FILE });

const connection = await connect(url);
const channel = await connection.createConfirmChannel();
const waiting = async (): Promise<number> => (await channel.checkQueue(REQUEST_QUEUES.action.name)).messageCount;

async function gather(count: number, accountIds: readonly string[]): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    const body = { account_id: accountIds[sent % accountIds.length], action_type: 'message' };
    const named = { contentType: 'application/json', persistent: true, messageId: randomUUID() };
    channel.publish(EXCHANGES.requests.name, 'action.acquire', Buffer.from(JSON.stringify(body)), named);
    if (sent % CHUNK === CHUNK - 1) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
}

/** Lengths of cycles of allocation and release, milliseconds. */
async function serve(caller: Caller, forMs: number): Promise<number[]> {
  const lengths: number[] = [];
  const endAt = performance.now() + forMs;
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, worker) => {
      while (performance.now() < endAt) {
        const from = performance.now();
        await WORKS.cycle(caller, worker);
        lengths.push(performance.now() - from);
      }
    }),
  );
  return lengths;
}

const memoryMiB = ({ process }: RunningService): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** Works off a backlog for a while; what is left of it is taken away. */
async function workOff(count: number, accountIds: readonly string[]): Promise<void> {
  await gather(count, accountIds);
  const service = await start();
  const caller = await connectCaller(url);
  await serve(caller, WARM_UP_MS);
  const [before, startedAt] = [await waiting(), performance.now()];
  const lengths = await serve(caller, seconds * 1000);
  const perSecond = (before - (await waiting())) / ((performance.now() - startedAt) / 1000);
  console.log(
    `${count} waiting, ${before} once warm: ${perSecond.toFixed(0)} worked off a second; callers beside ${percentiles(lengths)}; ` +
      `memory ${memoryMiB(service).toFixed(0)} MiB at most`,
  );
  await channel.purgeQueue(REQUEST_QUEUES.action.name);
  while ((await waiting()) > 0) await pause(SAMPLE_MS);
  await caller.close();
  await service.stop();
}

const first = await start();
const caller = await connectCaller(url);
await registerFleet(caller, FIRST_USER, 100);
await caller.close();
await first.stop();
const { rows } = await pool.query<{ id: string }>('SELECT id::text FROM telegram_sessions');
const accountIds = rows.map(({ id }) => id);
await workOff(Number(values.few), accountIds);
await workOff(Number(values.many), accountIds);
const violations = await auditGrants(pool);
console.log(violations.length === 0 ? 'nothing granted twice, nothing over a limit' : violations.join('\n'));
await connection.close();
await pool.end();
if (violations.length > 0) process.exitCode = 1;
