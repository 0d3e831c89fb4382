import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import {
  isOperationName,
  type OperationName,
  OPERATIONS,
  type ReplyBody,
  type RequestBody,
} from '../../contracts/operations.js';
import { waitAtMost } from '../broker/wait-at-most.js';
import { clock } from '../clock.js';
import { lacksLease } from '../decide/access/judge-access.js';
import type { Metrics } from '../telemetry/metrics.js';
import { inBatchSpan, inRequestSpan, traceIdOf } from '../telemetry/tracing.js';
import { allocateWithin } from './allocate-within.js';
import { gatherBatches } from './gather-batches.js';
import type { JobStarter, Outcome } from './handler.js';
import { type Lane, LANES } from './handlers.js';
import { workInBulk } from '../operations/admin/bulk.js';
import { refuse, refuseInvalid } from './refuse.js';
import type { Dispatch, IncomingRequest, Reply } from './request.js';
import type { BatchAnswer, BatchItem, BatchRunner } from './batch-items.js';
import { answerFault, runBatch } from './run-batch.js';
import type { WaitingRoom } from './waiting-room.js';

/** In weight. Bounds what one transaction locks and how long its neighbours wait. */
const MAX_BATCH = 256;

/** A request for a job is answered after this long even if the job still runs (contract: admin.run-job). */
const MAX_RUN_WAIT_MS = 60_000;
/** Between two questions about a run that another instance has. */
const RUN_PAUSE_MS = 250;

/** Between two looks at a run that is at work here. */
const MAX_PAUSE_MS = 2_000;

/** Creates the one way from the doors to the operations. */
export function createDispatch(runner: BatchRunner, waitingRoom: WaitingRoom): Dispatch {
  const asks = new Map([...new Set(LANES.values())].map((lane) => [lane, gatherLane(runner, lane)]));
  const gather = new Map([...LANES].map(([operation, lane]) => [operation, asks.get(lane)]));
  const ask: Ask = (item) => {
    const gathered = gather.get(item.operation);
    if (gathered === undefined) throw new Error(`${item.operation} has no lane`);
    return gathered(item);
  };

  return (request) =>
    inRequestSpan({ ...request, operation: nameOf(request) }, async (traceparent) => {
      const startedAt = clock.monotonicMs();
      const traced = { ...request, traceparent };
      const answer = await answerRequest(runner, ask, waitingRoom, traced);
      observe(runner, traced, answer, clock.monotonicMs() - startedAt);
      return answer.reply;
    });
}

/** Puts a request into a batch and answers it with the others there. */
type Ask = (item: BatchItem) => Promise<BatchAnswer>;

/** Requests that take the time of several are gathered apart: small ones do not wait for them. */
function gatherLane(runner: BatchRunner, lane: Lane): Ask {
  const { metrics } = runner.resources;
  const weigh = ({ item }: Gathered): number => lane.weigh?.(item) ?? 1;
  const answer = (gathered: Gathered[]): Promise<BatchAnswer[]> => {
    const now = clock.monotonicMs();
    metrics.batchSize.observe({ operation: lane.name }, gathered.length);
    for (const { item, arrivedAt } of gathered) {
      metrics.queueWait.observe({ operation: item.operation }, (now - arrivedAt) / 1000);
    }
    const items = gathered.map(({ item }) => item);
    return inBatchSpan(
      lane.name,
      items.map(({ traceparent }) => traceparent),
      () => runBatch(runner, lane, items),
    );
  };
  const light = gatherBatches(answer, { maxBatch: MAX_BATCH, batches: lane.batches });
  const heavy = gatherBatches(answer, { maxBatch: MAX_BATCH, weigh });
  return (item) => {
    const gathered = { item, arrivedAt: clock.monotonicMs() };
    return weigh(gathered) > 1 ? heavy(gathered) : light(gathered);
  };
}

interface Gathered {
  item: BatchItem;
  arrivedAt: number;
}

async function answerRequest(
  runner: BatchRunner,
  ask: Ask,
  waitingRoom: WaitingRoom,
  request: IncomingRequest,
): Promise<BatchAnswer> {
  const { operation } = request;
  if (!isOperationName(operation)) {
    return refused(refuse('UNKNOWN_OPERATION', { message: 'routing key: names no operation' }));
  }
  const parsed = OPERATIONS[operation].request.safeParse(request.body);
  if (!parsed.success) {
    return refused(refuseInvalid(parsed.error.issues.slice(0, MAX_ISSUES).flatMap(describeIssue)));
  }
  if (OPERATIONS[operation].changesState && request.messageId === null) {
    return refused(
      refuseInvalid([
        { path: 'message_id', message: 'is required: a UUID that names this request, also when it is repeated' },
      ]),
    );
  }
  // Before the stored reply is looked for: rights may have been withdrawn since.
  try {
    const forbidden = await runner.resources.access.judgeBody(request.caller, parsed.data, operation);
    if (forbidden !== null) return refused(forbidden);
  } catch (error) {
    return answerFault(runner.log, operation, request, error);
  }
  if (lacksLease(runner.resources.access.policy()?.get(request.caller ?? ''), operation, parsed.data)) {
    return refused(refuseInvalid([{ path: 'lease_id', message: 'is required: the lease this caller acts under' }]));
  }
  const body = parsed.data as RequestBody<OperationName>;
  const item = { ...request, operation, body, waitsForMs: 0, mayAskAgain: false };
  switch (operation) {
    case 'account.allocate':
      return allocateWithin(ask, waitingRoom, item as BatchItem<'account.allocate'>, request);
    case 'admin.run-job':
      return runJobWithin(ask, runner.resources.jobs, item as BatchItem<'admin.run-job'>);
    case 'admin.parked':
      return askAroundWork<'admin.parked'>(
        ask,
        (request) => runner.resources.parked.work(request),
        item as BatchItem<'admin.parked'>,
      );
    case 'admin.bulk':
      return bulkWithin(runner, ask, item as BatchItem<'admin.bulk'>);
    default:
      return ask(item);
  }
}

/** Asks how the run stands, whenever the job's worker has ended here and now and then, until it is over or time is up. */
async function runJobWithin(ask: Ask, jobs: JobStarter, item: BatchItem<'admin.run-job'>): Promise<BatchAnswer> {
  const giveUpAt = clock.monotonicMs() + MAX_RUN_WAIT_MS;
  for (;;) {
    const answer = await ask({
      ...item,
      waitsForMs: jobs.isClosing() ? 0 : Math.max(0, giveUpAt - clock.monotonicMs()),
    });
    if (!answer.deferred) return answer;
    await waitAtMost(jobs.start(item.body.job), MAX_PAUSE_MS);
    await pause(RUN_PAUSE_MS);
  }
}

/** Works on many accounts, each chunk in a transaction of its own; a dry run as well, which only reads. */
async function bulkWithin(
  { database, resources, log }: BatchRunner,
  ask: Ask,
  item: BatchItem<'admin.bulk'>,
): Promise<BatchAnswer> {
  try {
    return await askAroundWork<'admin.bulk'>(
      ask,
      (request) => workInBulk({ ...resources, database, log }, request),
      item,
    );
  } catch (error) {
    return answerFault(log, 'admin.bulk', item, error);
  }
}

/** Works between two questions: whether that was done before, and what is to be kept of it. */
async function askAroundWork<K extends 'admin.parked' | 'admin.bulk'>(
  ask: Ask,
  work: (item: BatchItem<K>) => Promise<Outcome<K>['reply']>,
  item: BatchItem<K>,
): Promise<BatchAnswer> {
  const before = await ask(item);
  if (!before.deferred) return before;
  const done = await work(item);
  if (!done.success && done.error.code === 'UNAVAILABLE') return refused(done);
  // It is done: a deadline that has passed meanwhile does not undo it.
  return ask({ ...item, deadlineAt: null, expiresAt: null, done });
}

/** More issues or unknown fields than these say nothing new. */
const MAX_ISSUES = 20;

/** Where and what; unknown fields, which the schema reports of the object they are in, are named one by one. */
export function describeIssue(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path.join('.'), message: issue.message }];
  return issue.keys.slice(0, MAX_ISSUES).map((key) => ({
    path: [...issue.path, key].join('.'),
    message: 'is not a field of this request',
  }));
}

const refused = (reply: Reply): BatchAnswer => ({ reply, repeated: false, deferred: false, log: {} });

/** A name of the contract: of what callers make up there is no end. */
const nameOf = ({ operation }: IncomingRequest): OperationName | 'unknown' =>
  isOperationName(operation) ? operation : 'unknown';

/** One log line and the metrics of every request. */
function observe(
  { log, resources: { metrics } }: BatchRunner,
  request: IncomingRequest,
  answer: BatchAnswer,
  ms: number,
): void {
  const { reply } = answer;
  const operation = nameOf(request);
  const outcome = reply.success ? 'success' : reply.error.code;
  metrics.operationDuration.observe({ operation, outcome }, ms / 1000);
  if (answer.repeated) metrics.duplicates.inc({ operation });
  if (!reply.success) metrics.refusals.inc({ operation, code: reply.error.code, rule: '' });
  if (outcome === 'LEASE_LOST') metrics.fenceRejections.inc({ operation });
  if (reply.success && reply.allowed === false)
    metrics.refusals.inc({ operation, code: '', rule: String(reply.reason) });
  if (reply.success && operation === 'action.acquire' && !answer.repeated)
    observeHeadroom(metrics, request.body, reply);
  // A good answer is no news.
  const level = reply.success ? 'debug' : 'info';
  if (!log.writes(level)) return;
  const traceId = traceIdOf(request.traceparent);
  log[level]('request answered', {
    operation,
    outcome,
    request_id: request.requestId,
    ...(traceId !== null && { trace_id: traceId }),
    duration_ms: Math.round(ms * 10) / 10,
    ...(request.caller !== null && { caller: request.caller }),
    ...(answer.repeated && { repeated: true }),
    ...(!reply.success && { reason: reply.error.message }),
    ...named(request.body),
    ...answer.log,
  });
}

/** How much of its daily limit an acquired action has left. */
function observeHeadroom(metrics: Metrics, body: unknown, reply: Reply): void {
  const { action_type: action } = body as RequestBody<'action.acquire'>;
  const { allowed, checks } = reply as unknown as ReplyBody<'action.acquire'>;
  const { limit, remaining } = checks.daily;
  if (allowed && limit !== null && limit > 0 && remaining !== null) {
    metrics.limitRemaining.observe({ action }, remaining / limit);
  }
}

/** User, service, account and lease as far as the body, which may be invalid, names them. */
function named(body: unknown): Record<string, unknown> {
  if (body === null || typeof body !== 'object') return {};
  const { user_id, service_name: service, account_id, lease_id } = body as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries({ user_id, service, account_id, lease_id }).filter(([, value]) => isName(value)),
  );
}

const MAX_NAME_LENGTH = 128;
/** A name fits into a log line; anything may stand in its place in a body that is refused. */
const isName = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && value.length <= MAX_NAME_LENGTH);
