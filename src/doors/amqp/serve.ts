import { setTimeout as pause } from 'node:timers/promises';
import type { Failure, FailureCode } from '../../../contracts/failures.js';
import { RETRY_STEPS } from '../../../contracts/topology.js';
import {
  type OutgoingMessage,
  PublishFailed,
  type PublishFailure,
  type Publisher,
  type Sender,
} from '../../broker/publish.js';
import { clock } from '../../clock.js';
import { decideSettlement } from '../../decide/messages/decide-settlement.js';
import type { Reach } from '../../requests/fail-point.js';
import { refuse } from '../../requests/refuse.js';
import type { Reply } from '../../requests/request.js';
import type { Log } from '../../telemetry/log.js';
import { buildParked, buildReply, buildRetry } from './messages.js';
import type { Task } from './tasks.js';

/** Events at the door, for the metrics. */
export interface AmqpDoorObserver {
  received(queue: string, bytes: number): void;
  /** `code` null: a success. */
  replied(operation: string, code: FailureCode | null): void;
  /** A reply that could not be delivered; where it is stored, a repeat of the request gets it. */
  replyLost(): void;
  parked(code: FailureCode): void;
  /** The parked queue was full: the message is answered and gone. */
  notParked(code: FailureCode): void;
  /** `step`: the header of a `RETRY_STEPS` entry. */
  retried(step: string): void;
  acknowledged(count: number): void;
  consumer(queue: string, registered: boolean): void;
}

/** Resources that tasks are served with. */
export interface ServingContext {
  /** A reply that is lost with a connection is asked for again: it is stored. */
  replies: Sender;
  /** For parked and delayed messages. */
  failures: Publisher;
  parkedQueue: Fullness;
  /** The AMQP user of this service. */
  ownUser: string;
  /** Resolves when the dependencies are back; rejects when the door stops. */
  waitUntilAvailable: () => Promise<void>;
  /** Aborts when the door stops: what cannot be settled then stays with the broker. */
  stopping: AbortSignal;
  log: Log;
  observe: Partial<AmqpDoorObserver>;
  reach?: Reach;
}

/** Whether a queue was full when it was last asked to take something. */
export interface Fullness {
  isFull: () => boolean;
  note: (isFull: boolean) => void;
}

/** A queue that has refused nothing for so long counts as having room again. */
const FULL_MS = 30_000;

export function createFullness(): Fullness {
  let fullUntil = Number.NEGATIVE_INFINITY;
  return {
    isFull: () => clock.monotonicMs() < fullUntil,
    note: (isFull) => {
      fullUntil = isFull ? clock.monotonicMs() + FULL_MS : Number.NEGATIVE_INFINITY;
    },
  };
}

/** Before anything that has failed is tried again, so that nothing spins. */
const RETRY_PAUSE_MS = 500;
/** A reply that was sent has left this process after some turns of the event loop; only a fail point waits for it. */
const REPLY_LEAVES_MS = 50;
/** A reply that is sent so often and may be lost is given up: its request is done all the same. */
const MAX_REPLY_TRIES = 3;

/**
 * Serves one message: asks for its answer, replies, settles. It is acknowledged last, once its reply is on its way and
 * the broker has confirmed its parked or delayed copy; whenever this process ends before, the broker delivers it again,
 * and a request that had its effect is answered from its stored reply. Never rejects.
 */
export async function serveTask(context: ServingContext, task: Task): Promise<void> {
  try {
    // Before the reply is out: who asks one by one must find room for the next.
    const reply = await getAnswer(context, task).finally(task.leave);
    if (reply === null || isRefusedInVain(task, reply) || !(await settle(context, task, reply))) return;
    if (context.reach !== undefined) {
      await pause(REPLY_LEAVES_MS);
      context.reach('after-reply', task.envelope.operation, task.envelope.messageId);
    }
    task.delivery.acknowledge();
  } catch (error) {
    context.log.error('message could not be served', { ...describe(task), error });
    task.delivery.giveBack();
  }
}

/** The message comes again on another channel: it may then get what it waits for, or is refused once more. */
const isRefusedInVain = ({ delivery }: Task, reply: Reply): boolean => !reply.success && !delivery.isLive();

/** Asks until no dependency is away; null where the message stays with the broker. */
async function getAnswer({ waitUntilAvailable, stopping, log }: ServingContext, task: Task): Promise<Reply | null> {
  for (;;) {
    const reply = await ask(task, log);
    if (settlementOf(task, reply).settle !== 'hold') return reply;
    try {
      await pause(RETRY_PAUSE_MS, undefined, { signal: stopping });
      await waitUntilAvailable();
    } catch {
      return null;
    }
    if (!task.delivery.isLive()) return null;
  }
}

async function ask(task: Task, log: Log): Promise<Reply> {
  try {
    return await task.ask();
  } catch (error) {
    log.error('dispatch failed', { ...describe(task), error });
    return refuse('INTERNAL');
  }
}

/** Whether the message may be acknowledged. */
async function settle(context: ServingContext, task: Task, reply: Reply): Promise<boolean> {
  const { ownUser, log, observe } = context;
  const { message } = task.delivery;
  const settlement = settlementOf(task, reply);
  if (settlement.reply && !(await sendReply(context, task, reply))) return false;
  if (settlement.settle === 'ack' || reply.success) return true;

  const { code, message: reason } = reply.error;
  if (typeof settlement.settle === 'object') {
    const step = RETRY_STEPS[settlement.settle.retryStep];
    const retry = buildRetry(message, task.envelope, step, ownUser);
    if ((await persist(context, task, retry, () => false)) !== 'kept') return false;
    log.warn('request will be tried again', { ...describe(task), code, reason, delay_ms: step.delayMs });
    observe.retried?.(step.header);
    return true;
  }
  return park(context, task, reply.error);
}

/** Keeps the message for an operator; a full queue keeps the oldest, and what it refuses is counted and told. */
async function park(context: ServingContext, task: Task, error: Failure): Promise<boolean> {
  const { ownUser, parkedQueue, log, observe } = context;
  const { code, message: reason } = error;
  const parked = await buildParked(task.delivery.message, task.envelope, error, { ownUser, now: clock.now() });
  // One refusal may have another cause, such as the queue's deletion; the next try then finds it declared anew.
  const outcome = await persist(context, task, parked, (refusals) => refusals > 1 || parkedQueue.isFull());
  if (outcome === 'unsettled') return false;
  parkedQueue.note(outcome === 'refused');
  if (outcome === 'kept') {
    log.warn('message parked', { ...describe(task), code, reason });
    observe.parked?.(code);
  } else {
    log.error('message not kept: the parked queue is full', { ...describe(task), code, reason });
    observe.notParked?.(code);
  }
  return true;
}

/** Whether the reply is delivered or given up; false where another try is the broker's to start. */
async function sendReply(context: ServingContext, task: Task, reply: Reply): Promise<boolean> {
  const { replies, log, observe } = context;
  const { envelope } = task;
  if (envelope.replyTo === null) return true;
  const message = buildReply(envelope.replyTo, envelope, reply);
  for (let tries = 1; ; ) {
    try {
      await replies.send(message);
      observe.replied?.(envelope.operation, reply.success ? null : reply.error.code);
      return true;
    } catch (error) {
      const failure = error instanceof PublishFailed ? error.failure : 'unencodable';
      const worthAnotherTry = failure === 'unavailable' || (failure === 'unknown' && tries++ < MAX_REPLY_TRIES);
      if (!worthAnotherTry) {
        log.error('reply lost', { ...describe(task), error });
        observe.replyLost?.();
        return true;
      }
      if (!(await mayTryAgain(context, task, failure))) return false;
    }
  }
}

/**
 * Publishes until the broker has confirmed (`kept`). `refused`: by its queue, and `givesUp` says that so many refusals are
 * enough. `unsettled`: the message stays with the broker.
 */
async function persist(
  context: ServingContext,
  task: Task,
  copy: OutgoingMessage,
  givesUp: (refusals: number) => boolean,
): Promise<'kept' | 'refused' | 'unsettled'> {
  for (let refusals = 0; ; ) {
    try {
      await context.failures.publish(copy);
      return 'kept';
    } catch (error) {
      if (!(error instanceof PublishFailed) || error.failure === 'unencodable') throw error;
      if (error.failure === 'refused' && givesUp(++refusals)) return 'refused';
      context.log.warn('message could not be put aside', { ...describe(task), error });
      if (!(await mayTryAgain(context, task, error.failure))) return 'unsettled';
    }
  }
}

/** A broker that takes nothing is waited for by all together, so that nothing is kept longer than the broker lets it be. */
async function mayTryAgain(
  { stopping, waitUntilAvailable }: ServingContext,
  task: Task,
  failure: PublishFailure,
): Promise<boolean> {
  await pause(RETRY_PAUSE_MS, undefined, { signal: stopping }).catch(() => undefined);
  if (failure === 'unavailable') await waitUntilAvailable().catch(() => undefined);
  return !stopping.aborted && task.delivery.isLive();
}

function settlementOf({ attempt, admin }: Task, reply: Reply) {
  if (reply.success) return decideSettlement({ code: null, attempt, admin });
  const { code, retry_after_ms: retryAfterMs } = reply.error;
  return decideSettlement({ code, retryAfterMs, attempt, admin });
}

const describe = ({ envelope, requestId, attempt }: Task) => ({
  request_id: requestId,
  operation: envelope.operation,
  service: envelope.caller,
  attempt,
});
