import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXAMPLES } from '../../contracts/examples.js';
import { EXAMPLE, type Example } from '../../contracts/examples/example.js';
import { FAILURES, type FailureCode, failureReply } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { OPERATION_NAMES, OPERATIONS, type OperationName } from '../../contracts/operations.js';
import { successSchema } from '../../scripts/contracts/schemas.js';
import { bind, bringAbout, succeed } from './bring-about.js';
import { invalidRequests, withNulls } from './mutate.js';
import { type Answered, type Door, DOORS, type OpenService, openService, type SendOptions } from './open-service.js';

// Every operation of the table, through both doors, against the same expectations.

type Body = Record<string, unknown>;
const PAST = '2020-01-01T00:00:00.000Z';
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let open: OpenService;
/** Requests answered as expected, by operation and door. */
const counts = new Map<string, Record<Door, number>>();

beforeAll(async () => {
  open = await openService();
});
afterAll(async () => {
  const rows = [...counts].map(([operation, { amqp, http }]) =>
    [operation.padEnd(26), String(amqp).padEnd(8), http].join(''),
  );
  const total = [...counts.values()].reduce((sum, { amqp, http }) => sum + amqp + http, 0);
  process.stdout.write(`${'requests as expected'.padEnd(26)}amqp    http\n${rows.join('\n')}\n${total} in all\n`);
  await open.close();
});

const CASES = DOORS.flatMap((door) => OPERATION_NAMES.map((operation) => [door, operation] as const));

/** The first example of the operation that succeeds, with everything it speaks of in place. */
const prepare = async (operation: OperationName, given?: Example<OperationName>['given']) => {
  const example = (EXAMPLES[operation] as readonly Example<OperationName>[]).find(({ reply }) => reply.success);
  if (example === undefined) throw new Error(`${operation} has no example that succeeds`);
  const bindings = await bringAbout(open, given ?? example.given, EXAMPLE.serviceName);
  return { body: bind(example.request, bindings) as Body, bindings };
};

const send = async (door: Door, operation: OperationName, body: Body, options?: SendOptions): Promise<Answered> => {
  const answered = await open.send(door, operation, body, options);
  const counted = counts.get(operation) ?? { amqp: 0, http: 0 };
  counts.set(operation, { ...counted, [door]: counted[door] + 1 });
  return answered;
};

/** A success as the contract has it. */
const expectSuccess = (operation: OperationName, { reply, status, codeHeader }: Answered) => {
  expect(reply).toMatchObject({ success: true });
  expect(successSchema(operation).safeParse(reply).error).toBeUndefined();
  expect(codeHeader).toBeNull();
  expect([null, 200]).toContain(status);
};

/** A failure as the contract has it. */
const expectFailure = (operation: OperationName, { reply, status, codeHeader }: Answered, code: FailureCode) => {
  const { error: failure } = failureReply.parse(reply);
  expect(failure.code).toBe(code);
  expect(failure.retryable).toBe(FAILURES[code].retryable);
  expect(failuresOf(operation)).toContain(code);
  expect(codeHeader).toBe(code);
  expect([null, FAILURES[code].http]).toContain(status);
  return failure;
};

/** Rows of an account in the database; none without an account. */
const rowsOf = async (accountId: unknown): Promise<unknown[]> =>
  open.query(
    `SELECT to_jsonb(s) AS account, (SELECT jsonb_agg(to_jsonb(e) ORDER BY e.id) FROM events e WHERE account_id = s.id) AS events,
       (SELECT jsonb_agg(to_jsonb(l) ORDER BY l.id) FROM leases l WHERE account_id = s.id) AS leases,
       (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id) FROM counted_actions c WHERE account_id = s.id) AS actions
     FROM telegram_sessions s WHERE id = $1::uuid`,
    [accountId ?? null],
  );

describe.each(CASES)('%s %s', (door, operation) => {
  const { changesState, request } = OPERATIONS[operation];
  const fields = new Set(Object.keys(request.shape));
  const failures = new Set<FailureCode>(failuresOf(operation));

  test('answers a valid request, null for what is absent, and continues its trace', async () => {
    const { body } = await prepare(operation);
    const deadline = new Date(Date.now() + 60_000).toISOString();
    const answer = await send(door, operation, withNulls(operation, body), { deadline, traceparent: TRACEPARENT });
    expectSuccess(operation, answer);
    expect(answer.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
  });

  test('refuses invalid, expired and nameless requests, without effect', async () => {
    const { body, bindings } = await prepare(operation);
    const before = await rowsOf(bindings.account_id);
    await Promise.all(
      invalidRequests(operation, door, body).map(async ({ fault, field, body: invalid }) => {
        const answer = await send(door, operation, invalid);
        const { details } = expectFailure(operation, answer, 'VALIDATION_FAILED');
        const issues = (details as { issues: { path: string }[] }).issues;
        expect({ fault, named: issues.some(({ path }) => path.split('.')[0] === field) }).toEqual({
          fault,
          named: true,
        });
      }),
    );
    const late = { deadline: PAST, messageId: randomUUID() };
    const expired = expectFailure(operation, await send(door, operation, body, late), 'DEADLINE_EXCEEDED');
    expect(expired.message).toMatch(/deadline/);
    const illegible = await send(door, operation, body, { deadline: 'tomorrow' });
    expectFailure(operation, illegible, 'VALIDATION_FAILED');
    if (door === 'amqp' && changesState) {
      expectFailure(operation, await send(door, operation, body, { messageId: null }), 'VALIDATION_FAILED');
    }
    expect(await rowsOf(bindings.account_id)).toEqual(before);
  });

  if (changesState) {
    test('answers a repeat as the first time, once for all, and refuses another body under its name', async () => {
      const { body, bindings } = await prepare(operation);
      const messageId = randomUUID();
      const first = await send(door, operation, body, { messageId });
      expectSuccess(operation, first);
      const before = await rowsOf(bindings.account_id);
      expect((await send(door, operation, body, { messageId })).reply).toEqual(first.reply);
      // A caller may come to the other door with it, too.
      expect((await send(door === 'amqp' ? 'http' : 'amqp', operation, body, { messageId })).reply).toEqual(
        first.reply,
      );
      const other = { ...(await prepare(operation)).body, ...OTHER_BODY[operation] };
      expectFailure(operation, await send(door, operation, other, { messageId }), 'IDEMPOTENCY_CONFLICT');
      expect(await rowsOf(bindings.account_id)).toEqual(before);
    });
  }

  if (failures.has('ACCOUNT_NOT_FOUND')) {
    test('knows no account that is not there', async () => {
      const { body } = await prepare(operation);
      expectFailure(operation, await send(door, operation, { ...body, account_id: randomUUID() }), 'ACCOUNT_NOT_FOUND');
    });
  }

  if (failures.has('NOT_HELD')) {
    test('refuses who does not hold the account, and whose lease is over', async () => {
      const { body, bindings } = await prepare(operation, 'held');
      const before = await rowsOf(bindings.account_id);
      const strange = { ...body, service_name: 'another-service' };
      expectFailure(operation, await send(door, operation, strange), 'NOT_HELD');
      const stale = { ...body, fence: Number(bindings.fence) - 1 };
      if (fields.has('fence')) expectFailure(operation, await send(door, operation, stale), 'LEASE_LOST');
      const forged = { ...body, lease_id: randomUUID() };
      expectFailure(operation, await send(door, operation, forged), 'LEASE_LOST');
      expect(await rowsOf(bindings.account_id)).toEqual(before);
    });
  }

  if (failures.has('NO_ACCOUNTS')) {
    test('knows no user who has no accounts', async () => {
      const { body } = await prepare(operation);
      expectFailure(operation, await send(door, operation, { ...body, user_id: 4_000_000_000 }), 'NO_ACCOUNTS');
    });
  }

  if (operation.startsWith('account.'))
    afterAll(() => succeed(open, 'account.release-all', { service_name: EXAMPLE.serviceName }));
});

/** For operations whose requests name neither a user nor an account: what makes them another. */
const OTHER_BODY: Partial<Record<OperationName, Body>> = {
  'account.release-all': { service_name: 'another-service' },
  'admin.run-job': { job: 'cleanup-locks' },
  'admin.parked': { limit: 7 },
  'admin.bulk': { reason: 'another' },
};
