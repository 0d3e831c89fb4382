import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reply } from '../../src/requests/request.js';
import type { RunningService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
let services: RunningService[];
let networks: TcpProxy[] = [];
beforeAll(async () => {
  installation = await startInstallation();
  services = await Promise.all([installation.start(), installation.start()]);
});
afterAll(async () => {
  await installation.close();
  await Promise.all(networks.map((network) => network.close()));
});

const USER = 1;
const WORKERS = 24;
const CYCLES_BEFORE = 60;
const CYCLES_AFTER = 60;

/** Allocates, acts and releases; every request must succeed. */
async function cycle(): Promise<void> {
  const { client } = installation;
  const succeed = async (asked: Promise<Reply>): Promise<Record<string, unknown>> => {
    const reply = await asked;
    if (!reply.success) throw new Error(JSON.stringify(reply.error));
    return reply;
  };
  const wish = { user_id: USER, purpose: 'general', service_name: 'invite-service' };
  const { allocation } = await succeed(client.call('account.allocate', wish));
  const { account_id, lease_id, fence } = allocation as Record<string, unknown>;
  const holder = { account_id, lease_id, fence, service_name: 'invite-service' };
  await succeed(client.call('action.acquire', { ...holder, action_type: 'message' }));
  await succeed(client.call('account.release', { ...holder, usage_stats: { messages_sent: 2 } }));
}

test('a process told to stop under load ends with 0; what it had in work is done, and nothing is delivered again', async () => {
  const { client, register, query } = installation;
  await register(USER, WORKERS);
  const [leaving, staying] = services as [RunningService, RunningService];
  let cycles = 0;
  let stopped: Promise<number | null> | undefined;
  let until = Number.POSITIVE_INFINITY;
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      while (cycles < until) {
        await cycle();
        cycles += 1;
        if (cycles < CYCLES_BEFORE || stopped !== undefined) continue;
        // Twice at once, as npm does when its process group is told.
        leaving.process.kill('SIGTERM');
        stopped = leaving.stop().then((code) => {
          until = cycles + CYCLES_AFTER;
          return code;
        });
      }
    }),
  );
  expect(await stopped).toBe(0);
  expect(leaving.log()).toContain('"message":"stopped"');
  for (const service of services) expect(service.log()).toContain('"operation":"account.release"');

  // Not one reply more than requests, and each effect once.
  const requests = cycles * 3;
  expect(client.replies).toHaveLength(requests + 1);
  const metrics = await (await fetch(`${staying.httpUrl}/metrics`)).text();
  expect(metrics).not.toMatch(/^account_manager_duplicates_total\{.* [1-9]/m);
  const [counts] = await query(
    `SELECT (SELECT count(*)::int FROM answered_requests) AS answered, (SELECT count(*)::int FROM leases) AS leases,
       (SELECT count(*)::int FROM leases WHERE end_reason = 'released') AS released,
       (SELECT sum(day_count)::int FROM usage_windows) AS messages`,
  );
  expect(counts).toEqual({ answered: requests + 1, leases: cycles, released: cycles, messages: cycles * 2 });
  expect(await installation.takeParked()).toEqual([]);
});

test('a process told to stop while database and broker are silent ends with 0, long before the broker counts as gone', async () => {
  const { env, start } = installation;
  networks = await Promise.all([startTcpProxy(env.DATABASE_URL), startTcpProxy(env.RABBITMQ_URL)]);
  const [database, broker] = networks as [TcpProxy, TcpProxy];
  const service = await start({ DATABASE_URL: database.url, RABBITMQ_URL: broker.url });
  for (const network of networks) network.hang();
  const told = Date.now();
  expect(await service.stop()).toBe(0);
  // Without a bound it is 25 s until the broker's heartbeat is missed, and the database's farewell never comes.
  expect(Date.now() - told).toBeLessThan(25_000);
});

test('a process told to stop ends its event streams in order, and before itself', async () => {
  const [, service] = services as [RunningService, RunningService];
  const streams = await Promise.all(
    Array.from({ length: 3 }, () => fetch(`${service.httpUrl}/api/v1/account-manager/events/stream`)),
  );
  let read: string[] = [];
  // A stream that breaks off rejects.
  const ended = Promise.all(streams.map((stream) => stream.text())).then((texts) => {
    read = texts;
  });
  const code = await service.stop();
  const readBeforeTheEnd = read.length;
  await ended;
  expect({ code, readBeforeTheEnd }).toEqual({ code: 0, readBeforeTheEnd: 3 });
  for (const text of read) expect(text).toContain(': open');
});
