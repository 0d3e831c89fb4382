import type { Channel, ChannelModel } from 'amqplib';
import { clock } from '../clock.js';
import type { Log } from '../telemetry/log.js';
import type { BrokerConnection } from './connections.js';
import { waitAtMost } from './wait-at-most.js';

/** A channel that comes back by itself. */
export interface KeptChannel<C extends Channel> {
  /** The channel, set up; null while it is away. */
  current(): C | null;
  /** Closes it until `resume`: what it still holds goes back to the queue. */
  pause(): Promise<void>;
  resume(): void;
  /** Closes it for good: what it still holds goes back to the queue. */
  close(): Promise<void>;
}

export interface KeepChannelOptions<C extends Channel> {
  connection: BrokerConnection;
  /** For the log. */
  name: string;
  create: (connection: ChannelModel) => Promise<C>;
  /** Makes a new channel usable: declares, consumes. When it fails, the channel is closed and tried again later. */
  setUp: (channel: C) => Promise<void>;
  onOpen?: () => void;
  onLost?: () => void;
  /** Told why it could not be opened; true: whoever hears it tells the operator. It is tried again all the same. */
  onFailed?: (error: unknown) => boolean;
  log: Log;
}

/** How long to wait before the nth attempt in a row: doubling between these two. */
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 10_000;
/** A channel that lived this long was well; the next loss starts from the shortest delay again. */
const STABLE_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Keeps one channel open on a connection. The broker closes a channel alone, leaving its connection up, for a missing
 * queue or a refused permission; such a channel is opened again with growing delays, and a lost one at reconnect.
 */
export function keepChannel<C extends Channel>(options: KeepChannelOptions<C>): KeptChannel<C> {
  const { connection, name, create, setUp, onOpen, onLost, onFailed, log } = options;
  let channel: C | null = null;
  let opening = false;
  let closed = false;
  let paused = false;
  const isUnwanted = () => closed || paused;
  const tries = createTries(() => void open());

  const open = async (): Promise<void> => {
    const link = connection.current();
    if (isUnwanted() || opening || channel !== null || link === null) return;
    opening = true;
    let fresh: C | undefined;
    try {
      fresh = await create(link);
      const { lost, isLost } = watchChannel(fresh, { name, log, onClosed: lose });
      await Promise.race([setUp(fresh), lost]);
      if (isLost()) await lost;
      channel = fresh;
      tries.succeeded();
      onOpen?.();
    } catch (error) {
      if (!isUnwanted() && onFailed?.(error) !== true)
        log.warn('broker channel could not be opened', { channel: name, error });
      if (fresh !== undefined) await closeChannel(fresh);
      if (!isUnwanted()) tries.later();
    } finally {
      opening = false;
    }
    if (isUnwanted()) await leave();
  };

  const lose = (gone: Channel, reason: Error): void => {
    onLost?.();
    if (channel !== gone) return;
    channel = null;
    // A channel that goes with its connection is no news: the connection's loss is told.
    log[connection.current() === null ? 'debug' : 'warn']('broker channel lost', { channel: name, error: reason });
    tries.lost();
    if (!isUnwanted()) tries.later();
  };

  const leave = async (): Promise<void> => {
    tries.cancel();
    const last = channel;
    channel = null;
    if (last !== null) await closeChannel(last);
  };

  const forget = connection.onConnect(() => void open());
  void open();
  return {
    current: () => channel,
    pause: async () => {
      paused = true;
      await leave();
    },
    resume: () => {
      paused = false;
      void open();
    },
    close: async () => {
      closed = true;
      forget();
      await leave();
    },
  };
}

/** Decides when to open a channel again. */
interface Tries {
  /** It is open. */
  succeeded: () => void;
  /** The open channel is gone. */
  lost: () => void;
  /** Tries after a delay, which grows with every failure in a row. */
  later: () => void;
  cancel: () => void;
}

function createTries(open: () => void): Tries {
  let failures = 0;
  let openedAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    succeeded: () => {
      openedAtMs = clock.monotonicMs();
    },
    lost: () => {
      if (clock.monotonicMs() - openedAtMs > STABLE_MS) failures = 0;
    },
    later: () => {
      clearTimeout(timer);
      timer = setTimeout(open, Math.min(FIRST_DELAY_MS * 2 ** failures, LAST_DELAY_MS));
      failures++;
    },
    cancel: () => clearTimeout(timer),
  };
}

/** `lost` rejects with the reason when the channel is gone; `onClosed` is told it then, too. */
function watchChannel(
  channel: Channel,
  { name, log, onClosed }: { name: string; log: Log; onClosed: (channel: Channel, reason: Error) => void },
): { lost: Promise<never>; isLost: () => boolean } {
  let reason = new Error('the channel was closed');
  let isLost = false;
  channel.on('error', (error) => {
    reason = error;
  });
  // Without this listener amqplib answers an exception in one of our listeners by dropping the connection.
  channel.on('handler-error', (error) => log.error('broker listener failed', { channel: name, error }));
  const lost = new Promise<never>((_, reject) => {
    channel.on('close', () => {
      isLost = true;
      reject(reason);
      onClosed(channel, reason);
    });
  });
  lost.catch(() => undefined);
  return { lost, isLost: () => isLost };
}

/** One that is gone already needs no closing, and says so by throwing. */
async function closeChannel(channel: Channel): Promise<void> {
  await waitAtMost((async () => channel.close())(), CLOSE_TIMEOUT_MS);
}
