import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reply } from '../../src/requests/request.js';
import type { RunningService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
let network: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  installation = await startInstallation();
  network = await startTcpProxy(installation.env.DATABASE_URL);
  // Without jobs, so that nobody else commits over this network.
  service = await installation.start({ DATABASE_URL: network.url, JOBS_ENABLED: 'false' });
});
afterAll(async () => {
  await installation.close();
  await network.close();
});

/** Words of the one statement that writes a batch and commits by itself, and of a transaction's end. */
const GRANT = 'account.allocated';
const COMMIT = 'COMMIT';
let user = 0;
const register = () => installation.register(++user, 1);

interface Allocation {
  lease_id: string;
}

async function allocateOverHttp(key: string): Promise<{ status: number; reply: Reply }> {
  const response = await fetch(`${service.httpUrl}/api/v1/account-manager/allocate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ user_id: user, purpose: 'general', service_name: 'invite-service' }),
  });
  return { status: response.status, reply: (await response.json()) as Reply };
}

const leasesOfUser = () => installation.query('SELECT id AS lease_id FROM leases WHERE user_id = $1', [user]);

test('the connection is lost at the write: the caller is told what has come of it', async () => {
  await register();
  const broken = network.breakAfter(GRANT, 'connection');
  const { reply } = await allocateOverHttp(randomUUID());
  await broken;
  expect(reply).toMatchObject({ success: true });
  expect(await leasesOfUser()).toMatchObject([
    { lease_id: reply.success && (reply.allocation as Allocation).lease_id },
  ]);
});

test('and where that takes too long: that it is not known, which a repeat then tells', async () => {
  await register();
  const key = randomUUID();
  const severed = network.breakAfter(GRANT, 'network');
  const { status, reply } = await allocateOverHttp(key);
  await severed;
  const leases = await leasesOfUser();
  await network.heal();
  expect(leases).toHaveLength(1);
  expect(status).toBe(503);
  expect(reply).toMatchObject({ error: { code: 'UNAVAILABLE', details: { outcome: 'unknown' } } });
  expect(JSON.stringify(reply)).not.toContain('nothing was changed');
  const { reply: repeated } = await allocateOverHttp(key);
  expect(repeated).toMatchObject({ allocation: leases[0] });
  expect(await leasesOfUser()).toEqual(leases);
});

test('the connection is lost at the commit of a transaction: the caller is told what has come of it', async () => {
  const [id] = await register();
  const broken = network.breakAfter(COMMIT, 'connection');
  const response = await fetch(`${service.httpUrl}/api/v1/account-manager/accounts/${id}/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ status: 'draining', reason: 'test' }),
  });
  await broken;
  expect(await response.json()).toMatchObject({ success: true, status: 'draining', changed: true });
  const drained = "SELECT 1 FROM events WHERE account_id = $1 AND type = 'account.draining'";
  expect(await installation.query(drained, [id])).toHaveLength(1);
});
