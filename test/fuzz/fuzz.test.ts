import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { FAILURES, type FailureCode, failureReply } from '../../contracts/failures.js';
import { failuresOf } from '../../contracts/failures-of.js';
import { isOperationName, OPERATIONS } from '../../contracts/operations.js';
import { successSchema } from '../../scripts/contracts/schemas.js';
import { type OpenService, openService } from '../conformance/open-service.js';
import { telethonSession } from '../support/session-strings.js';
import { askHttp } from '../support/service.js';
import { buildBody } from './build-body.js';
import { findBroken } from './find-broken.js';
import { type FuzzBus, openFuzzBus } from './fuzz-bus.js';
import { drawPlans, type Plan } from './plan.js';

// Messages that are well, and messages that are not, of which each is answered once, by the contract, and none does harm.
// `make fuzz` sends 100,000; FUZZ_SEED and FUZZ_MESSAGES run the same again.

const MESSAGES = Number(process.env.FUZZ_MESSAGES ?? 1_500);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_122);
const IN_FLIGHT = 100;
const CHUNK = 500;
const USERS = 5;
const ACCOUNTS = 40;
/** With a leak of 2 KB a message, 100,000 messages would not fit. */
const HEAP_MB = 256;
/** By which the resident memory may grow in the second half. */
const GROWTH_MB = 60;
/** Beyond the longest wait that a request may ask for, 60 s. */
const SILENCE_MS = 90_000;
const TIMEOUT_MS = 60_000 + MESSAGES * 30;

/** Every session begins with it; so where it stands, somebody has let out a piece of one. */
const CANARY_KEY = createHash('sha512').update('canary').digest();
const sessionOf = (n: number): string => {
  const blocks = Array.from({ length: 3 }, (_, block) => createHash('sha512').update(`${n} ${block}`).digest());
  return telethonSession(Buffer.concat([CANARY_KEY, ...blocks]));
};
const CANARY = sessionOf(0).slice(20, 60);

let open: OpenService;
let bus: FuzzBus;
beforeAll(async () => {
  open = await openService({ NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` });
  bus = await openFuzzBus(open.vhost.url, CANARY);
});
afterAll(async () => {
  await bus.close();
  await open.close();
});

/** Accounts at hand, and what is known of their leases: examples are bound to them. */
const accounts: Record<string, unknown>[] = [];

async function registerAccounts(): Promise<void> {
  const given = Array.from({ length: ACCOUNTS }, (_, n) => ({
    user_id: 1 + (n % USERS),
    phone: `+4917${String(n).padStart(9, '0')}`,
    session_data: sessionOf(-n - 1),
  }));
  const { reply } = await open.send('http', 'admin.register', { accounts: given });
  if (!reply.success) throw new Error(JSON.stringify(reply));
  (reply.accounts as { account_id: string }[]).forEach(({ account_id }, n) =>
    accounts.push({ account_id, user_id: given[n]?.user_id }),
  );
}

const bindingsOf = (n: number, { account }: Plan) => ({
  ...accounts[account % accounts.length],
  phone: `+4916${String(n).padStart(9, '0')}`,
  session_data: sessionOf(n),
});

/** Whoever comes next asks with this lease, this permit. */
function learn(reply: Record<string, unknown>, plan: Plan): void {
  const { allocation, permit_id } = reply as { allocation?: Record<string, unknown>; permit_id?: string };
  const known = accounts.find(({ account_id }) => account_id === allocation?.account_id);
  if (known !== undefined) Object.assign(known, { lease_id: allocation?.lease_id, fence: allocation?.fence });
  if (permit_id !== undefined) Object.assign(accounts[plan.account % accounts.length]!, { permit_id });
}

/** How often each answer came. */
const answered = new Map<string, number>();
const note = (door: string, code: string) =>
  void answered.set(`${door} ${code}`, (answered.get(`${door} ${code}`) ?? 0) + 1);

/** The fault of an answer; null: there is none. Notes its code. */
function judge(
  reply: Record<string, unknown>,
  key: string,
  door: Plan['door'],
): { fault: string | null; code: string } {
  const operation = isOperationName(key) ? key : null;
  if (reply.success === true) {
    note(door, 'success');
    const parsed = operation === null ? null : successSchema(operation).safeParse(reply);
    return {
      fault: parsed?.success ? null : `not a success of ${key}: ${parsed?.error.message ?? ''}`,
      code: 'success',
    };
  }
  const failure = failureReply.safeParse(reply);
  if (!failure.success) return { fault: `not a failure of the contract: ${failure.error.message}`, code: 'none' };
  const { code, retryable } = failure.data.error;
  note(door, code);
  if (code === 'INTERNAL') return { fault: 'a defect', code };
  if (retryable !== FAILURES[code].retryable) return { fault: `${code} with retryable ${retryable}`, code };
  const possible: readonly FailureCode[] = [...(operation === null ? [] : failuresOf(operation)), 'UNKNOWN_OPERATION'];
  const ofAny: readonly FailureCode[] = ['VALIDATION_FAILED', 'MALFORMED_MESSAGE', 'DEADLINE_EXCEEDED'];
  return { fault: possible.includes(code) || ofAny.includes(code) ? null : `${code} from ${key}`, code };
}

const isRight = (text: string): Record<string, unknown> | null => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
};

/** Sends the nth message; answers what was wrong. */
async function trial(n: number, plan: Plan): Promise<string | null> {
  const { bytes, fields } = buildBody(plan, bindingsOf(n, plan));
  if (plan.door === 'http') return await tryHttp(plan, bytes, fields);
  const key = Buffer.from(plan.envelope.key ?? plan.operation)
    .subarray(0, 200)
    .toString();
  const outcome = await bus.send(n, plan, bytes);
  if (outcome === null || typeof outcome === 'string') {
    note('amqp', outcome ?? 'not asked for');
    return outcome === 'unroutable' && isOperationName(key) ? 'an operation that leads nowhere' : null;
  }
  return judgeAnswer(n, outcome.answer, key, plan);
}

function judgeAnswer(n: number, { content, properties }: ConsumeMessage, key: string, plan: Plan): string | null {
  const reply = isRight(content.toString());
  if (reply === null) return 'an answer that is no JSON';
  learn(reply, plan);
  const { fault, code } = judge(reply, key, 'amqp');
  expectedParked.set(n, code !== 'success' && code !== 'none' && FAILURES[code as FailureCode].parked ? 1 : 0);
  const told: unknown = properties.headers?.['x-error-code'];
  if (fault === null && (told ?? 'success') !== code) return `${code} in the body, ${String(told)} in the header`;
  return fault;
}
const expectedParked = new Map<number, number>();

const agent = new Agent({ keepAlive: true, maxSockets: 20 });
afterAll(() => agent.destroy());

async function tryHttp(
  { operation, envelope }: Plan,
  bytes: Buffer,
  fields: Record<string, unknown>,
): Promise<string | null> {
  const { method, path } = OPERATIONS[operation].http;
  const written = (value: unknown): string =>
    encodeURIComponent(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value ?? null)).toString());
  const route =
    envelope.key === null
      ? path.replace(/\{(\w+)\}/g, (_, name: string) => written(fields[name]))
      : `/${written(envelope.key)}`;
  const query = Object.entries(fields)
    .filter(([name]) => method === 'GET' && !path.includes(`{${name}}`))
    .map(([name, value]) => `${written(name)}=${written(value)}`);
  const url = `${open.service.httpUrl}/api/v1/account-manager${route}?${query.join('&')}`.replace(/\?$/, '');
  const headers = Object.fromEntries(
    envelope.headers.flatMap(([name, value]) =>
      /^[a-z-]+$/.test(name) && typeof value === 'string' ? [[name, value.replace(/[^\x20-\x7e]/g, '?')]] : [],
    ),
  );
  const { status, text } = await exchange(url, method, {
    headers: { ...headers, 'content-type': envelope.contentType ?? 'application/json' },
    body: method === 'POST' ? bytes : null,
  });
  const reply = isRight(text);
  if (reply === null) return `HTTP ${status} with what is no JSON: ${text.slice(0, 200)}`;
  const key = status === 404 && envelope.key !== null ? 'unknown' : operation;
  // The door's own root, which lists the operations.
  if (route === '/' && method === 'GET') return status === 200 ? null : `HTTP ${status} at the root`;
  const { fault, code } = judge(reply, key, 'http');
  if (fault !== null) return fault;
  const expected = code === 'success' ? 200 : FAILURES[code as FailureCode].http;
  // A parameter that is too long or badly written never becomes an operation.
  return status === expected ? null : `HTTP ${status} with ${code}`;
}

const exchange = (
  url: string,
  method: string,
  { headers, body }: { headers: Record<string, string>; body: Buffer | null },
): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent, timeout: SILENCE_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      // An answer that is cut off ends with this; without a listener it would end with nothing.
      response.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${SILENCE_MS} ms`)));
    sent.once('error', (error: NodeJS.ErrnoException) => {
      // The server may close an idle connection at the instant in which it is used again.
      if (sent.reusedSocket && error.code === 'ECONNRESET')
        exchange(url, method, { headers, body }).then(resolve, reject);
      else reject(error);
    });
    sent.end(body ?? undefined);
  });

/** Resident and used memory of the service, megabytes. */
async function readMemory(): Promise<{ resident: number; heap: number }> {
  const { text } = await askHttp(`${open.service.httpUrl}/metrics`);
  const read = (name: string) => Math.round(Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]) / 2 ** 20);
  return { resident: read('process_resident_memory_bytes'), heap: read('nodejs_heap_size_used_bytes') };
}

test(
  `${MESSAGES} messages, most of them wrong, are answered once each, and do no harm (seed ${SEED})`,
  async () => {
    await registerAccounts();
    const startedAt = performance.now();
    const faults: string[] = [];
    const memory = [await readMemory()];
    for (let first = 0; first < MESSAGES; first += CHUNK) {
      const plans = drawPlans(SEED + first, Math.min(CHUNK, MESSAGES - first));
      let next = 0;
      await Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          while (next < plans.length) {
            const index = next++;
            const plan = plans[index]!;
            const fault = await trial(first + index, plan).catch(String);
            if (fault !== null)
              faults.push(`message ${first + index}: ${fault}: ${JSON.stringify(plan).slice(0, 1_500)}`);
          }
        }),
      );
      if (faults.length > 10) break;
      if ((first / CHUNK) % 20 === 1) memory.push(await readMemory());
    }
    await bus.untilIdle();
    const seconds = (performance.now() - startedAt) / 1000;
    memory.push(await readMemory());
    report(seconds, memory);

    expect(faults).toEqual([]);
    expect([...bus.answers].filter(([, count]) => count !== 1)).toEqual([]);
    expect(bus.nameless.answered).toBe(bus.nameless.asked - bus.nameless.unroutable);
    // Whatever was refused for its form is parked, once; nothing else is.
    const wronglyParked = [...expectedParked].filter(([n, count]) => (bus.parked.get(n) ?? 0) !== count);
    expect(wronglyParked).toEqual([]);
    expect([...bus.parked].filter(([, count]) => count > 1)).toEqual([]);

    const { process: child, log } = open.service;
    expect(child.exitCode ?? child.signalCode).toBeNull();
    const bad = log()
      .split('\n')
      .filter((line) => /"level":"error"|unhandled|uncaught|could not be served/.test(line));
    expect(bad.slice(0, 5)).toEqual([]);
    expect(bus.leaks()).toEqual([]);
    expect(log()).not.toContain(CANARY);
    expect(await findBroken(open.query, CANARY)).toEqual([]);
    const half = memory[Math.ceil(memory.length / 2)] ?? memory[0]!;
    expect(memory.at(-1)!.resident - half.resident).toBeLessThan(GROWTH_MB);
    expect((await askHttp(`${open.service.httpUrl}/health/ready`)).status).toBe(200);
  },
  TIMEOUT_MS,
);

function report(seconds: number, memory: { resident: number; heap: number }[]): void {
  const { nameless } = bus;
  const lines = [
    `${MESSAGES} messages in ${seconds.toFixed(1)} s, seed ${SEED}`,
    ...[...answered].sort(([, a], [, b]) => b - a).map(([code, count]) => `${String(count).padStart(8)}  ${code}`),
    `parked ${[...bus.parked.values()].reduce((sum, count) => sum + count, 0) + nameless.parked}`,
    `without a name: asked ${nameless.asked}, answered ${nameless.answered}, unroutable ${nameless.unroutable}`,
    `resident (heap) MB: ${memory.map(({ resident, heap }) => `${resident} (${heap})`).join(', ')}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
