import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { streamRequest } from '../../../contracts/event-feed.js';
import { readPosition } from '../../../contracts/event-position.js';
import type { OperationName } from '../../../contracts/operations.js';
import { toCloudEvent } from '../../broker/to-cloud-event.js';
import type { Access } from '../../requests/access.js';
import { describeIssue } from '../../requests/dispatch.js';
import type { EventFeed } from '../../requests/event-feed.js';
import type { FeedEvent } from '../../requests/read-feed.js';
import { refuse, refuseInvalid } from '../../requests/refuse.js';
import type { Log } from '../../telemetry/log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Gate } from '../gate.js';
import { answer } from './answer.js';
import { callerOf } from './caller.js';
import { createQueryReader, type Query } from './query.js';

export interface EventStreamSource {
  feed: EventFeed;
  access: Access;
  metrics: Pick<Metrics, 'streamReaders' | 'streamsDropped'>;
}

export interface EventStreams {
  /** Ends every stream with a word, and begins no other. */
  end: () => void;
}

export const STREAM_PATH = '/events/stream';
/** It tells what the query tells. */
const OPERATION = 'query.events' satisfies OperationName;

/** More readers than these are told to come later. */
const MAX_STREAMS = 500;
/** Proxies and clients give up a silent connection after a minute, or half of one. */
const COMMENT_MS = 15_000;
/** A reader for whom so many events wait does not keep up. They are shared: what waits for one costs little more. */
const MAX_WAITING = 10_000;
/** A reader that takes nothing for so long does not read. */
const DRAIN_MS = 30_000;
/** How long a connection may take to carry the last words. */
const LINGER_MS = 5_000;
/** How soon a client should come again, milliseconds. */
const RETRY_MS = 2_000;

/** Serves the events of `query.events` as server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function serveEventStream(
  app: FastifyInstance,
  url: string,
  { feed, access, metrics, gate, log }: EventStreamSource & { gate: Gate; log: Log },
): EventStreams {
  const readQuery = createQueryReader(streamRequest);
  const open = new Set<(word: string) => void>();
  let isEnding = false;

  app.get<{ Querystring: Query }>(url, { exposeHeadRoute: false }, async (request, reply) => {
    const { id: requestId, headers, query } = request;
    const caller = callerOf(request, gate);
    const entry = gate.enter({ door: 'http', caller, operation: OPERATION, requestId, again: false });
    if (!entry.ok) return answer(reply, entry.refusal);
    // It is served from here on, and takes no place among the requests in work.
    entry.leave();
    const given = headers['last-event-id'];
    const resumed = typeof given === 'string' && given !== '' ? { after: given } : {};
    const parsed = streamRequest.safeParse({ ...readQuery(query), ...resumed });
    if (!parsed.success) return answer(reply, refuseInvalid(parsed.error.issues.flatMap(describeIssue)));
    const { after, account_id: accountId = null, user_id: userId, types = null } = parsed.data;
    const forbidden = await access
      .judgeBody(caller, parsed.data, OPERATION)
      .catch(() => refuse('UNAVAILABLE', { message: 'the database is unavailable' }));
    if (forbidden !== null) return answer(reply, forbidden);
    if (isEnding || open.size >= MAX_STREAMS) {
      const message = isEnding ? 'this instance is shutting down' : 'too many streams are open at this instance';
      return answer(reply, refuse('UNAVAILABLE', { message, retryAfterMs: RETRY_MS }));
    }

    const seen = access.usersOf(caller);
    const users = userId !== undefined ? [userId] : seen === '*' ? null : [...seen];
    const stream = openStream(reply, {
      onEnd: (end) => {
        open.delete(end);
        metrics.streamReaders.set(open.size);
      },
      onDrop: (reason) => {
        metrics.streamsDropped.inc();
        log.info('event stream dropped', { request_id: requestId, caller, reason });
      },
      isAllowed: () => gate.enter({ door: 'http', caller, operation: OPERATION, requestId, again: true }).ok,
    });
    open.add(stream.end);
    metrics.streamReaders.set(open.size);
    const from = after === undefined ? null : readPosition(after);
    const filter = { users, accountId, types };
    feed
      .follow({ from, filter, ...stream, loseTouch: () => stream.drop('too much came at once') })
      .catch((error: unknown) => {
        log.warn('event stream failed', { request_id: requestId, error });
        stream.end('the database is unavailable; come again from the last id');
      });
    return reply;
  });

  return {
    end: () => {
      isEnding = true;
      for (const end of [...open]) end('this instance is shutting down; come again from the last id');
    },
  };
}

interface Stream {
  takeOld: (event: FeedEvent) => Promise<void>;
  takeNew: (event: FeedEvent) => void;
  gone: AbortSignal;
  /** Ends it with a comment. */
  end: (word: string) => void;
  /** Ends it with an event `dropped`, which says why. */
  drop: (reason: string) => void;
}

function openStream(
  reply: FastifyReply,
  {
    onEnd,
    onDrop,
    isAllowed,
  }: { onEnd: (end: Stream['end']) => void; onDrop: (reason: string) => void; isAllowed: () => boolean },
): Stream {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream; charset=utf-8',
    // nginx would keep events back until it has a page of them.
    'x-accel-buffering': 'no',
  });
  raw.write(`retry: ${RETRY_MS}\n: open\n\n`);
  const gone = new AbortController();
  const comment = setInterval(() => {
    if (isAllowed()) raw.write(': \n\n');
    else end('the caller may not read events any more');
  }, COMMENT_MS);

  const finish = (last: string): void => {
    if (gone.signal.aborted) return;
    gone.abort();
    clearInterval(comment);
    onEnd(end);
    raw.end(last);
    // Whoever does not even take the last words is cut off.
    const cut = setTimeout(() => raw.destroy(), LINGER_MS);
    raw.once('close', () => clearTimeout(cut));
  };
  const end = (word: string): void => finish(`: ${word}\n\n`);
  const drop = (reason: string): void => {
    if (gone.signal.aborted) return;
    onDrop(reason);
    finish(`event: dropped\ndata: ${JSON.stringify({ reason, hint: 'come again from the last id' })}\n\n`);
  };
  raw.once('close', () => {
    if (gone.signal.aborted) return;
    gone.abort();
    clearInterval(comment);
    onEnd(end);
  });

  /** Writes an event; resolves once the reader may have the next. */
  const take = async (event: FeedEvent): Promise<void> => {
    if (gone.signal.aborted || raw.write(toChunk(event)) || (await drained(raw, gone.signal))) return;
    drop('the reader takes nothing');
  };
  const waiting: FeedEvent[] = [];
  let writing: Promise<void> | null = null;
  const writeWaiting = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await take(next);
  };
  return {
    gone: gone.signal,
    end,
    drop,
    takeOld: take,
    takeNew: (event) => {
      if (gone.signal.aborted) return;
      waiting.push(event);
      if (waiting.length > MAX_WAITING) return drop('the reader is too slow');
      writing ??= writeWaiting().finally(() => (writing = null));
    },
  };
}

/** Whether what was written has been taken, or nobody is there to take it; false: not in time. */
function drained(raw: ServerResponse, gone: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isDrained: boolean) => (): void => {
      clearTimeout(timer);
      raw.off('drain', taken);
      gone.removeEventListener('abort', taken);
      resolve(isDrained);
    };
    const taken = settle(true);
    const timer = setTimeout(settle(false), DRAIN_MS);
    raw.once('drain', taken);
    gone.addEventListener('abort', taken, { once: true });
  });
}

/** Written once for all readers. */
const chunks = new WeakMap<FeedEvent, string>();

function toChunk(event: FeedEvent): string {
  const known = chunks.get(event);
  if (known !== undefined) return known;
  const chunk = `id: ${event.position}\nevent: ${event.row.type}\ndata: ${JSON.stringify(toCloudEvent(event.row))}\n\n`;
  chunks.set(event, chunk);
  return chunk;
}
