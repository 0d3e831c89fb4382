import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import { manage } from '../support/vhost.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

/** Lower than the contract's, so that it takes fewer crashes. */
const DELIVERY_LIMIT = 6;
const NEIGHBOURS = 20;

test('a message that crashes its consumers is answered and parked; those that crashed with it are served', async () => {
  const { client, start, register, takeParked, vhost } = installation;
  const poison = randomUUID();
  const first = await start();
  const [accountId] = await register(1, 1);
  await first.stop();
  await manage('PUT', `/api/policies/${vhost}/short`, {
    pattern: `^${REQUEST_QUEUES.action.name}$`,
    definition: { 'delivery-limit': DELIVERY_LIMIT },
    'apply-to': 'queues',
  });

  const acquire = (options: { messageId?: string }) =>
    client.ask('action.acquire', { account_id: accountId, action_type: 'message' }, { ...options, timeoutMs: 110_000 });
  // They wait together, so that they are delivered together: the culprit first.
  const asked = [acquire({ messageId: poison }), ...Array.from({ length: NEIGHBOURS }, () => acquire({}))];
  await eventually('all wait', async () => {
    const { messageCount } = await client.channel.checkQueue(REQUEST_QUEUES.action.name);
    return messageCount === asked.length;
  });

  let crashes = 0;
  const state = { isOver: false };
  const answers = Promise.all(asked).finally(() => (state.isOver = true));
  while (!state.isOver) {
    const service = await start({ FAIL_POINT: `action.acquire:before-commit:${poison}` }).catch(() => null);
    crashes += 1;
    if (service !== null) await Promise.race([once(service.process, 'exit'), answers]);
  }
  const [culprit, ...neighbours] = await answers;
  expect(culprit?.reply).toMatchObject({
    success: false,
    error: { code: 'INTERNAL', message: expect.stringContaining('delivery_limit') },
  });
  expect(neighbours.map(({ reply }) => reply.success)).toEqual(neighbours.map(() => true));
  expect(crashes).toBeLessThanOrEqual(DELIVERY_LIMIT + 2);
  const parked = await eventually('it is parked', async () => {
    const messages = await takeParked();
    return messages.length > 0 && messages;
  });
  // A neighbour that was served just before the last crash, and not acknowledged, may be parked beside it.
  const culprits = (parked || []).filter(({ properties }) => properties.messageId === poison);
  expect(culprits.map(({ properties }) => properties.headers)).toMatchObject([{ 'x-error-code': 'INTERNAL' }]);
});
