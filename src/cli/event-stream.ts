import { setTimeout as pause } from 'node:timers/promises';
import type { CloudEvent } from '../../contracts/events.js';
import { type Client, type Fields, readAnswer, toQuery } from './client.js';
import { CommandError, EXIT, exitOf } from './exit.js';

/** An event of the stream, and the place behind it. */
export interface Told {
  position: string;
  event: CloudEvent;
}

interface StreamOptions {
  /** Filters of the stream, as its query string names them. */
  filter: Fields;
  /** The last position that was read; null: only what comes from now on. */
  after: string | null;
  signal: AbortSignal;
  /** Told when the stream stands, and when it broke. */
  onChange?: (state: 'open' | 'broken') => void;
}

const RETRY_MS = 2_000;
/** The service writes something every 15 s. */
const SILENCE_MS = 45_000;

/**
 * The events of the fleet as they come, for ever. Whatever breaks the stream, it goes on behind the last event: none is
 * missing and none comes twice. Rejects where the service refuses, and where it cannot be reached the first time.
 */
export async function* followEvents(client: Client, options: StreamOptions): AsyncGenerator<Told> {
  const { filter, signal, onChange } = options;
  let { after } = options;
  let hasStood = false;
  for (;;) {
    try {
      for await (const told of readStream(client, { filter, after, signal })) {
        if (told === 'open') {
          hasStood = true;
          onChange?.('open');
          continue;
        }
        after = told.position;
        yield told;
      }
    } catch (error) {
      signal.throwIfAborted();
      const isAway = !(error instanceof CommandError) || error.exit === EXIT.unreachable;
      if (!hasStood || !isAway) throw error;
    }
    onChange?.('broken');
    await pause(RETRY_MS, null, { signal });
  }
}

/** One connection's worth of events; ends where the service ends it. */
async function* readStream(
  client: Client,
  { filter, after, signal }: Pick<StreamOptions, 'filter' | 'after' | 'signal'>,
): AsyncGenerator<Told | 'open'> {
  const { url } = client.connection;
  const headers = { accept: 'text/event-stream', ...(after !== null && { 'last-event-id': after }) };
  const response = await client.open(`/events/stream${toQuery(filter)}`, headers, signal);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || response.body === null) {
    const answer = await readAnswer(url, response, signal);
    if (answer.success) throw new CommandError(EXIT.unreachable, `${url} answers, but not with a stream of events`);
    const { code, message } = answer.error;
    throw new CommandError(exitOf(code), `${code}: ${message}`, code);
  }
  yield 'open';
  for await (const block of readBlocks(response.body)) {
    const told = readBlock(block);
    if (told !== null) yield told;
  }
}

/** Splits a stream at its empty lines; rejects where nothing comes any more. */
async function* readBlocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      yield* blocks;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function inTime<T>(reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CommandError(EXIT.unreachable, 'the stream is silent')), SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silent]);
  } finally {
    clearTimeout(timer);
  }
}

/** Null: a comment, or an event of another kind. https://html.spec.whatwg.org/multipage/server-sent-events.html */
function readBlock(block: string): Told | null {
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    }),
  );
  const position = fields.get('id');
  const data = fields.get('data');
  if (position === undefined || data === undefined) return null;
  return { position, event: JSON.parse(data) as CloudEvent };
}
