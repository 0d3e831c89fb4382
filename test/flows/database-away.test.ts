import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import type { Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import type { RunningService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
let network: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  installation = await startInstallation();
  network = await startTcpProxy(installation.env.DATABASE_URL);
  service = await installation.start({ DATABASE_URL: network.url });
});
afterAll(async () => {
  await installation.close();
  await network.close();
});

const isReady = async (): Promise<boolean> => (await fetch(`${service.httpUrl}/health/ready`)).ok;
const untilReady = (ready: boolean) => eventually(`ready: ${ready}`, async () => (await isReady()) === ready, 30_000);

let user = 0;
const ACCOUNTS = 10;
const REQUESTS = 25;

/** Asks for more accounts than there are; the answers, when they come. */
async function ask(): Promise<{ answers: Promise<Reply[]>; arrived: () => number }> {
  const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
  let arrived = 0;
  const answers = Promise.all(
    Array.from({ length: REQUESTS }, async () => {
      const { reply } = await installation.client.ask('account.allocate', wish, { timeoutMs: 80_000 });
      arrived += 1;
      return reply;
    }),
  );
  await installation.client.channel.waitForConfirms();
  return { answers, arrived: () => arrived };
}

const register = () => installation.register(++user, ACCOUNTS);

async function expectGrantedOnce(answers: Promise<Reply[]>): Promise<void> {
  const grants = (await answers).flatMap((reply) =>
    reply.success ? [reply.allocation as { account_id: string }] : [],
  );
  expect(grants).toHaveLength(ACCOUNTS);
  expect(new Set(grants.map(({ account_id: id }) => id)).size).toBe(ACCOUNTS);
  const leases = await installation.query('SELECT FROM leases WHERE user_id = $1', [user]);
  expect(leases).toHaveLength(ACCOUNTS);
  expect(await installation.takeParked()).toEqual([]);
}

test('the database is away: not ready; requests wait in their queue, unparked, and are served when it is back', async () => {
  await register();
  await network.cut();
  const { answers, arrived } = await ask();
  await untilReady(false);
  await eventually('they are back in the queue, and nobody asks for them', async () => {
    const { messageCount, consumerCount } = await installation.client.channel.checkQueue(REQUEST_QUEUES.allocate.name);
    return messageCount === REQUESTS && consumerCount === 0;
  });
  expect(arrived()).toBe(0);
  expect(await installation.takeParked()).toEqual([]);
  await network.heal();
  await expectGrantedOnce(answers);
  await untilReady(true);
});

test('one instance cannot reach the database: another serves what it has taken', async () => {
  await register();
  await network.cut();
  const other = await installation.start();
  const { answers } = await ask();
  await expectGrantedOnce(answers);
  expect(other.log()).toContain('"operation":"account.allocate"');
  expect(await isReady()).toBe(false);
  expect(await other.stop()).toBe(0);
  await network.heal();
  await untilReady(true);
});

test('the network swallows everything: it is noticed, and the requests are served once when it is well', async () => {
  await register();
  const { answers } = await ask();
  network.blackhole();
  await untilReady(false);
  await network.heal();
  await untilReady(true);
  await expectGrantedOnce(answers);
});

test('connections die without a word: they are given up, and the requests are served over new ones', async () => {
  await register();
  network.forget();
  const { answers } = await ask();
  // A query that is not bounded by a transaction.
  const stats = installation.client.ask('query.recovery-stats', {}, { timeoutMs: 40_000 });
  await expectGrantedOnce(answers);
  expect((await stats).reply.success).toBe(true);
  await untilReady(true);
});

test('the answers of the database are lost: what was committed is not done again', async () => {
  await register();
  network.loseReplies();
  const { answers } = await ask();
  await untilReady(false);
  await network.heal();
  await expectGrantedOnce(answers);
});
