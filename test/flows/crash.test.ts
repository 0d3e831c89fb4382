import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OperationName } from '../../contracts/operations.js';
import type { Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import type { RunningService } from '../support/service.js';
import { type Installation, startInstallation } from './installation.js';

// One process after the other dies at the request that is meant for it, and the next one finishes what it left.

let installation: Installation;
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

const USER = 1;
const SERVICE = 'invite-service';
const POINTS = ['before-commit', 'after-commit', 'after-reply'] as const;
const NEIGHBOURS = 4;
const MESSAGES = 40;

/** Fields of a grant that name its lease; later requests carry them. */
type Holder = Record<'account_id' | 'lease_id' | 'fence', unknown>;
const holders: Holder[] = [];
const holder = (index: number): Record<string, unknown> => ({ ...holders[index], service_name: SERVICE });

interface Step {
  operation: OperationName;
  point: (typeof POINTS)[number];
  messageId: string;
  body: () => Record<string, unknown>;
}

const bodies: [OperationName, (lease: number) => Record<string, unknown>][] = [
  ['account.allocate', () => ({ user_id: USER, purpose: 'general', service_name: SERVICE })],
  ['account.release', (lease) => ({ ...holder(lease), usage_stats: { messages_sent: MESSAGES, success: true } })],
];
const steps: Step[] = bodies.flatMap(([operation, body]) =>
  POINTS.map((point, index) => ({ operation, point, messageId: randomUUID(), body: () => body(index) })),
);

const start = (step: Step | undefined): Promise<RunningService> =>
  installation.start(
    step === undefined ? {} : { FAIL_POINT: `${step.operation}:${step.point}:${step.messageId}`, NODE_ENV: 'test' },
  );

const repliesTo = (correlationId: string): Reply[] =>
  installation.client.replies
    .filter(({ properties }) => properties.correlationId === correlationId)
    .map(({ content }) => JSON.parse(content.toString()) as Reply);

test('a process killed before the commit, after it or after the reply loses and doubles nothing', async () => {
  const { client, query } = installation;
  let service = await start(steps[0]);
  await installation.register(USER, 6);
  const [besideId] = await installation.register(USER + 1, 1);
  const neighbours: Reply[] = [];

  for (const [index, { operation, point, messageId, body }] of steps.entries()) {
    const died = once(service.process, 'exit');
    const beside = Array.from({ length: NEIGHBOURS }, () =>
      client.call('action.acquire', { account_id: besideId, action_type: 'message' }),
    );
    const options = { messageId, correlationId: messageId, timeoutMs: 60_000 };
    const asked = client.ask(operation, body(), options);
    expect(await died).toEqual([null, 'SIGKILL']);
    if (point === 'after-reply') await eventually('it is answered', () => repliesTo(messageId).length === 1);
    else expect(repliesTo(messageId)).toHaveLength(0);

    service = await start(steps[index + 1]);
    const { reply } = await asked;
    expect(reply).toMatchObject({ success: true });
    // Answered already, it is answered once more, from the store.
    await eventually('it is answered again', () => repliesTo(messageId).length === (point === 'after-reply' ? 2 : 1));
    for (const repeated of repliesTo(messageId)) expect(repeated).toEqual(reply);
    if (operation === 'account.allocate' && reply.success) {
      const { account_id, lease_id, fence } = reply.allocation as Holder;
      holders.push({ account_id, lease_id, fence });
    }
    neighbours.push(...(await Promise.all(beside)));
  }

  expect(neighbours.every((reply) => reply.success && reply.allowed)).toBe(true);
  expect(await installation.takeParked()).toEqual([]);
  expect(await service.stop()).toBe(0);

  // The tables hold what was asked for, once.
  const count = async (what: string) => (await query<{ n: number }>(`SELECT count(*)::int AS n FROM ${what}`))[0]?.n;
  const messagesOf = async (accountId: unknown) =>
    (await query(`SELECT day_count FROM usage_windows WHERE account_id = $1`, [accountId]))[0]?.day_count;
  expect(new Set(holders.map(({ account_id: id }) => id)).size).toBe(3);
  expect(await count('leases')).toBe(3);
  expect(await count(`leases WHERE end_reason = 'released'`)).toBe(3);
  expect(await count(`events WHERE type = 'account.allocated'`)).toBe(3);
  expect(await count(`events WHERE type = 'account.released'`)).toBe(3);
  expect(await count(`answered_requests WHERE operation <> 'admin.register'`)).toBe(steps.length + neighbours.length);
  expect(await Promise.all(holders.map(({ account_id: id }) => messagesOf(id)))).toEqual(POINTS.map(() => MESSAGES));
  expect(await messagesOf(besideId)).toBe(neighbours.length);
  expect(await count('(SELECT FROM events GROUP BY account_id HAVING max(sequence) <> count(*)) AS gap')).toBe(0);
}, 180_000);
