import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import { FAILURES, type FailureCode } from '../../../contracts/failures.js';
import type { ParkedRequest, ParkedResult } from '../../../contracts/parked.js';
import { PARKED } from '../../../contracts/topology.js';
import type { BrokerConnection } from '../../broker/connections.js';
import { lockParked, unlockParked } from '../../broker/lock-parked.js';
import { declareFailureQueues } from '../../broker/topology.js';
import { waitAtMost } from '../../broker/wait-at-most.js';
import { clock } from '../../clock.js';
import { judgeReplay } from '../../decide/messages/judge-replay.js';
import type { Outcome, ParkedDesk } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';
import type { Dispatch, Reply } from '../../requests/request.js';
import type { Log } from '../../telemetry/log.js';
import { decodeBody } from '../decode-message.js';
import type { Gate } from '../gate.js';
import { readMessageId } from '../read-message-id.js';
import { addCopy, describeParked, type ParkedEntry, readParked } from './read-parked.js';

export interface ParkedDeskOptions {
  connection: BrokerConnection;
  /** The AMQP user of this service. */
  ownUser: string;
  gate: Gate;
  dispatch: Dispatch;
  log: Log;
}

const CONSUMER_TAG = 'parked';
const RETURN_PAUSE_MS = 10;
/** More are not held at a time; of those beyond some come to the front whenever the others are given back. */
const MAX_HELD = 5_000;
/** A message that is counted and does not come is another's. */
const SILENCE_MS = 2_000;
/** No further message is replayed after this. */
const REPLAY_BUDGET_MS = 45_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Takes the parked messages, all of them, since the queue keeps no order that pages could go by; what is not settled goes
 * back, whatever becomes of this process. A message is removed last: dies the process before, it is still parked, and a
 * second replay is answered from the stored reply.
 */
export function createParkedDesk(options: ParkedDeskOptions): ParkedDesk {
  let last: Promise<unknown> = Promise.resolve();
  return {
    work: (request) => {
      const turn = last.then(() => workAlone(options, request));
      last = turn;
      return turn;
    },
  };
}

type Work = Parameters<ParkedDesk['work']>[0];
type ParkedAnswer = Outcome<'admin.parked'>['reply'];

/** The channel that has the parked messages, and how many it holds unsettled. */
interface Hold {
  channel: Channel;
  held: number;
}

async function workAlone(options: ParkedDeskOptions, work: Work): Promise<ParkedAnswer> {
  let hold: Hold | undefined;
  try {
    hold = { channel: await lockParked(options.connection), held: 0 };
    return await workOn(hold, options, work);
  } catch (error) {
    options.log.warn('parked messages could not be reached', { request_id: work.requestId, error });
    return refuse('UNAVAILABLE', { message: 'the parked messages cannot be reached now; ask again' });
  } finally {
    if (hold !== undefined) await waitAtMost(giveBack(hold), CLOSE_TIMEOUT_MS);
  }
}

/**
 * Gives back what is not settled, and lets the next have it once it is there: a queue takes its messages back a moment
 * after it was told. `nack` does not count towards a delivery limit on newer brokers; a close does.
 */
async function giveBack({ channel, held }: Hold): Promise<void> {
  try {
    channel.nackAll(true);
    while ((await channel.checkQueue(PARKED.name)).messageCount < held) await pause(RETURN_PAUSE_MS);
    await unlockParked(channel);
  } finally {
    await channel.close();
  }
}

async function workOn(hold: Hold, options: ParkedDeskOptions, work: Work): Promise<ParkedAnswer> {
  const { body } = work;
  const wanted = new Set(body.parked_ids);
  const { total, entries } = await take(hold, options.ownUser, wanted);
  const found = [...wanted].map((parkedId) => ({ parkedId, entry: entries.get(parkedId) }));
  switch (body.action) {
    case 'list':
      return { success: true, total, ...(await pageOf([...entries.values()], body)), results: [] };
    case 'show': {
      const messages = [];
      for (const { entry } of found)
        if (entry !== undefined) messages.push(await describeParked(entry, clock.now(), true));
      return { success: true, total, messages, next_cursor: null, results: [] };
    }
    case 'replay':
    case 'discard': {
      const results = await settle(hold, options, work, found);
      return { success: true, total, messages: [], next_cursor: null, results };
    }
    default:
      return body.action satisfies never;
  }
}

/** Receives what is parked, without settling it; keeps the contents of those wanted only. */
async function take(
  hold: Hold,
  ownUser: string,
  wanted: ReadonlySet<string>,
): Promise<{ total: number; entries: Map<string, ParkedEntry> }> {
  const { channel } = hold;
  await declareFailureQueues(channel);
  const total = await countParked(channel);
  const expected = Math.min(total, MAX_HELD);
  const entries = new Map<string, ParkedEntry>();
  if (expected === 0) return { total, entries };
  await channel.prefetch(MAX_HELD);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, SILENCE_MS);
    const fail = () => {
      clearTimeout(timer);
      reject(new Error('the channel was lost'));
    };
    channel.once('close', fail);
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) return fail();
      addCopy(entries, readParked(message, ownUser), wanted);
      timer.refresh();
      if (++hold.held < expected) return;
      clearTimeout(timer);
      resolve();
    };
    channel.consume(PARKED.name, onMessage, { consumerTag: CONSUMER_TAG }).catch(reject);
  });
  // Or what is given back would come back here.
  await channel.cancel(CONSUMER_TAG);
  return { total, entries };
}

/** A quorum queue whose leader is slow to answer is told as empty, so only `get` shows that nothing is there. */
async function countParked(channel: Channel): Promise<number> {
  for (;;) {
    const { messageCount } = await channel.checkQueue(PARKED.name);
    if (messageCount > 0) return messageCount;
    const message = await channel.get(PARKED.name);
    if (message === false) return 0;
    channel.nack(message);
  }
}

async function pageOf(entries: ParkedEntry[], { limit, cursor }: ParkedRequest) {
  const ordered = entries
    .map((entry) => ({ entry, place: placeOf(entry) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .filter(({ place }) => cursor === undefined || place > cursor.padStart(place.length, '0'));
  const page = ordered.slice(0, limit);
  const last = ordered.length > limit ? page.at(-1) : undefined;
  const now = clock.now();
  const messages = await Promise.all(page.map(({ entry }) => describeParked(entry, now, false)));
  return { messages, next_cursor: last?.place ?? null };
}

/** By the instant of parking, then by id; of one width, so that texts compare like numbers. */
const placeOf = ({ parkedAt, parkedId }: ParkedEntry): string =>
  `${String(parkedAt ?? 0).padStart(15, '0')}.${parkedId.replaceAll('-', '')}`;

type Found = readonly { parkedId: string; entry: ParkedEntry | undefined }[];

async function settle(hold: Hold, options: ParkedDeskOptions, work: Work, found: Found): Promise<ParkedResult[]> {
  const giveUpAt = clock.monotonicMs() + REPLAY_BUDGET_MS;
  const results: ParkedResult[] = [];
  for (const { parkedId, entry } of found) {
    const result = await settleOne(options, work, entry, giveUpAt);
    if (entry !== undefined && (result.outcome === 'replayed' || result.outcome === 'discarded')) {
      for (const message of entry.messages) acknowledge(hold, message);
      const { operation, code, caller } = entry;
      const { caller: actor, requestId: request_id, body } = work;
      const what = { request_id, actor, parked_id: parkedId, operation, code, caller, reason: body.reason };
      options.log.warn(`parked message ${result.outcome}`, { ...what, answered: result.code ?? 'success' });
    }
    results.push({ parked_id: parkedId, ...result });
  }
  // Answered after the acknowledgements on the same channel: when this is, the copies are gone.
  const isGone = await hold.channel.checkQueue(PARKED.name).then(
    () => true,
    () => false,
  );
  if (isGone) return results;
  const doubt = 'whether its parked copy is gone is not known: the broker was lost';
  return results.map((result) =>
    result.outcome === 'not_found' ? result : { ...result, reason: result.reason ?? doubt },
  );
}

async function settleOne(
  options: ParkedDeskOptions,
  { body }: Work,
  entry: ParkedEntry | undefined,
  giveUpAt: number,
): Promise<Omit<ParkedResult, 'parked_id'>> {
  if (entry === undefined)
    return { outcome: 'not_found', code: null, reason: 'it was replayed or discarded before, or never parked' };
  if (body.action === 'discard') return { outcome: 'discarded', code: null, reason: null };
  const obstacle = judgeReplay(entry, { now: clock.now(), force: body.force });
  if (obstacle !== null) return { outcome: 'kept', code: null, reason: obstacle };
  if (clock.monotonicMs() > giveUpAt)
    return { outcome: 'kept', code: null, reason: 'time was up before its turn; ask again' };
  const reply = await replay(options, entry);
  if (reply.success) return { outcome: 'replayed', code: null, reason: null };
  const { code, message: reason } = reply.error;
  return { outcome: isFinal(code) ? 'replayed' : 'kept', code, reason };
}

/** An answer; not a fault for which it would be parked again or asked again. */
const isFinal = (code: FailureCode): boolean => code !== 'UNAVAILABLE' && !FAILURES[code].parked;

/** Serves the message as what it was: its caller's request, under its name. Its deadline, long over, is forgotten. */
async function replay({ gate, dispatch }: ParkedDeskOptions, entry: ParkedEntry): Promise<Reply> {
  const { parkedId, operation, caller, traceparent } = entry;
  const decoded = decodeBody(entry.messages[0]?.content ?? Buffer.alloc(0), operation);
  if (!decoded.ok) return decoded.refusal;
  const requestId = entry.correlationId ?? entry.messageId ?? parkedId;
  const admitted = gate.enter({ door: 'amqp', caller, operation, requestId, again: true });
  if (!admitted.ok) return admitted.refusal;
  try {
    const messageId = entry.messageId === null ? null : readMessageId(entry.messageId);
    return await dispatch({
      operation,
      messageId,
      requestId,
      caller,
      body: decoded.body,
      deadlineAt: null,
      expiresAt: null,
      traceparent,
    });
  } finally {
    admitted.leave();
  }
}

/** On a channel that is lost this does nothing: the broker has the message again. */
function acknowledge(hold: Hold, message: Parameters<Channel['ack']>[0]): void {
  try {
    hold.channel.ack(message);
    hold.held -= 1;
  } catch {
    // Found out by the question that follows.
  }
}
