import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { statusReply } from '../../contracts/fleet.js';
import { createFleetSnapshot } from '../../src/accounts/fleet-totals.js';
import type { BatchContext } from '../../src/requests/handler.js';
import { status } from '../../src/operations/query/status.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { testServers } from '../support/servers.js';
import { databaseUrl } from '../support/template.js';

let harness: OperationsHarness;
let database: Database;
beforeAll(async () => {
  harness = await startOperations();
  const [{ name } = { name: '' }] = await harness.query<{ name: string }>('SELECT current_database() AS name');
  const url = databaseUrl(testServers().databaseUrl, name);
  database = connectDatabase({ url, poolSize: 2, onConnectionError: () => {} });
});
afterAll(async () => {
  await database.close();
  await harness.close();
});

const request = {
  operation: 'query.status' as const,
  body: {},
  messageId: null,
  requestId: 'one',
  caller: null,
  traceparent: null,
  waitsForMs: 0,
  mayAskAgain: false,
};

test('totals, leases by service, and the dependencies as they are', async () => {
  const [waiting, blocked, tired] = await harness.registerAccounts(1, 6);
  await ask(harness, 'account.error', { account_id: waiting, error_message: 'FLOOD_WAIT_300' });
  await ask(harness, 'account.error', { account_id: blocked, error_message: 'PEER_FLOOD' });
  await harness.query('UPDATE telegram_sessions SET error_count = 5 WHERE id = $1', [tired]);
  for (const service_name of ['one', 'one', 'two'])
    await ask(harness, 'account.allocate', { user_id: 1, purpose: 'general', service_name });

  const context = {
    fleetSnapshot: createFleetSnapshot(database.reader),
    access: { policy: () => null },
    networkIsTrusted: true,
    dependencies: () =>
      Promise.resolve({ database: { ok: true, latency_ms: 0.7 }, broker: { ok: false, detail: 'no answer' } }),
  } as unknown as BatchContext;
  const outcomes = await status.handle(context, [request, request], undefined);
  expect(outcomes).toHaveLength(2);
  const { success, ...fields } = outcomes[1]!.reply as Record<string, unknown>;
  expect(success).toBe(true);
  expect(statusReply.parse(fields)).toEqual({
    total_accounts: 6,
    healthy_accounts: 3,
    leased_accounts: 3,
    status_breakdown: { active: 4, flood_wait: 1, blocked: 1, draining: 0, disabled: 0 },
    leases_by_service: { one: 2, two: 1 },
    active_accounts: 4,
    locked_accounts: 3,
    available_accounts: 1,
    locked_by_service: { one: 2, two: 1 },
    identity: 'off',
    network_is_trusted: true,
    dependencies: {
      database: { up: true, latency_ms: 0.7 },
      broker: { up: false, latency_ms: null, detail: 'no answer' },
    },
    generated_at: expect.any(String),
  });
});
