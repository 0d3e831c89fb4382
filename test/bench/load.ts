import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { telethonSession } from '../support/session-strings.js';
import { startService } from '../support/service.js';

/**
 * Requests per second, closed loop: allocate→release cycles beside an empty echo on the same queue type. Both are
 * measured by turns in the same run and compared pair by pair, so that the ratio says something on any machine, and
 * on one that does other work meanwhile: of the pairs the median and the best. Servers come from the environment.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    'in-flight': { type: 'string', default: '1,32,256' },
    accounts: { type: 'string', default: '1000' },
    'log-level': { type: 'string', default: 'warn' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
/** Until the compiler of the service has seen what is hot: a service that runs for days is measured, not one just started. */
const WARM_UP_SECONDS = 10;
const rabbitmqUrl = process.env.RABBITMQ_URL ?? 'amqp://localhost';
const BENCH_USER = 900_000 + Math.floor(Math.random() * 90_000);

interface Measured {
  perSecond: number;
  p50: number;
  p99: number;
}

/** Keeps `inFlight` of the work going for the time given. */
async function measure(inFlight: number, work: () => Promise<void>, seconds: number): Promise<Measured> {
  const lengths: number[] = [];
  const endAt = performance.now() + seconds * 1000;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < endAt) {
        const from = performance.now();
        await work();
        lengths.push(performance.now() - from);
      }
    }),
  );
  lengths.sort((a, b) => a - b);
  const at = (share: number) => lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))] ?? 0;
  return { perSecond: lengths.length / ((performance.now() - startedAt) / 1000), p50: at(0.5), p99: at(0.99) };
}

/** An empty service on a quorum queue: what the broker alone costs. */
async function startEcho(): Promise<{ close: () => Promise<void> }> {
  const connection = await connect(rabbitmqUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.assertQueue('bench.echo', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.prefetch(256);
  await channel.consume('bench.echo', (message) => {
    if (message === null) return;
    channel.sendToQueue(String(message.properties.replyTo), Buffer.from('{"success":true}'), {
      correlationId: String(message.properties.correlationId),
    });
    channel.ack(message);
  });
  return {
    close: async () => {
      await channel.deleteQueue('bench.echo');
      await connection.close();
    },
  };
}

async function registerFleet(client: RpcClient, accounts: number): Promise<void> {
  for (let from = 0; from < accounts; from += 250) {
    const chunk = Array.from({ length: Math.min(250, accounts - from) }, (_, index) => ({
      user_id: BENCH_USER,
      phone: `+${BENCH_USER}${String(from + index).padStart(6, '0')}`,
      session_data: telethonSession(),
    }));
    const reply = await client.call('admin.register', { accounts: chunk });
    if (!reply.success) throw new Error(JSON.stringify(reply));
  }
}

const nothingUsed = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };

async function cycle(client: RpcClient): Promise<void> {
  const granted = await client.call('account.allocate', {
    user_id: BENCH_USER,
    purpose: 'general',
    service_name: 'bench',
  });
  if (!granted.success) throw new Error(JSON.stringify(granted));
  const { account_id, lease_id, fence } = granted.allocation as Record<string, unknown>;
  const released = await client.call('account.release', {
    account_id,
    lease_id,
    fence,
    service_name: 'bench',
    usage_stats: nothingUsed,
  });
  if (!released.success) throw new Error(JSON.stringify(released));
}

const show = ({ perSecond, p50, p99 }: Measured) =>
  `${perSecond.toFixed(0).padStart(7)}/s  p50 ${p50.toFixed(1).padStart(6)} ms  p99 ${p99.toFixed(1).padStart(6)} ms`;

const byRatio = (pairs: readonly Pair[]) =>
  pairs
    .map((pair) => ({ ...pair, ratio: pair.cycles.perSecond / pair.echo.perSecond }))
    .sort((a, b) => a.ratio - b.ratio);

interface Pair {
  echo: Measured;
  cycles: Measured;
}

// Without jobs: what an instance catches up at its start would be measured along.
const service = await startService({ LOG_LEVEL: values['log-level'], JOBS_ENABLED: 'false' });
const client = await connectRpc(rabbitmqUrl);
const echo = await startEcho();
await registerFleet(client, Number(values.accounts));

const askEcho = async () => {
  await client.ask('bench.echo', {}, { exchange: '' });
};
const askCycle = () => cycle(client);
await measure(256, askEcho, 1);
await measure(256, askCycle, WARM_UP_SECONDS);
for (const inFlight of values['in-flight'].split(',').map(Number)) {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    pairs.push({
      echo: await measure(inFlight, askEcho, seconds),
      cycles: await measure(inFlight, askCycle, seconds),
    });
  }
  const sorted = byRatio(pairs);
  console.log(`${String(inFlight).padStart(4)} in flight (load of the machine ${loadavg()[0]?.toFixed(1)})`);
  for (const { echo, cycles, ratio } of sorted) {
    console.log(
      `   empty echo ${show(echo)}   allocate→release cycle ${show(cycles)}   ${ratio.toFixed(3)} of the echo`,
    );
  }
}
await echo.close();
await client.close();
await service.stop();
