import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, GetMessage, Options } from 'amqplib';
import { PARKED } from '../../contracts/topology.js';
import { clock } from '../clock.js';
import type { Log } from '../telemetry/log.js';
import type { BrokerConnection } from './connections.js';
import { lockParked, unlockParked } from './lock-parked.js';
import { openChannel } from './open-channel.js';

/** The arguments of version 1.0: no bound, and on RabbitMQ 4.0 to 4.2 no more than 20 deliveries. */
const FORMER_ARGUMENTS = { 'x-queue-type': 'quorum' };
/** Holds the messages while their queue is declared anew; without a bound, so that all of them have room. */
const HALFWAY = {
  name: `${PARKED.name}.moving`,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': PARKED.arguments['x-delivery-limit'] },
};

const PRECONDITION_FAILED = 406;
const NOT_FOUND = 404;
/** Copied and not yet confirmed, at most. */
const IN_FLIGHT = 64;
const LOOK_MS = 20;
const QUIET_LOOKS = 3;
/** An instance of version 1.0 that parks a message at the wrong moment declares its queue again. */
const MAX_ROUNDS = 5;
/** How long a connection that died may stay a consumer. */
const OTHERS_MS = 10_000;
/** How long a queue's deletion may take to be told to its consumer, after everything it still delivers. */
const END_MS = 2_000;

/**
 * Gives the parked queue of version 1.0 its present arguments: copies its messages to a second queue, declares it anew,
 * and copies them back. A message is acknowledged after its copy is confirmed, so a crash leaves two copies of it, never
 * none. The next start goes on from there. One instance works at a time (`lockParked`). Messages that an instance of
 * version 1.0 parks between the last look and the deletion are still delivered to this one, which copies them too.
 * Messages for which the bounded queue has no room stay in `account-manager.parked.moving`, the newest of all, and follow
 * at a later start. Does nothing to a queue of any other arguments: start-up tells the difference and stops.
 */
export async function moveParked(connection: BrokerConnection, ownUser: string, log: Log): Promise<void> {
  const link = connection.current();
  if (link === null) throw new Error('no connection to the broker');
  const isAsWanted = await agrees(link, PARKED);
  if (isAsWanted && !(await exists(link, HALFWAY.name))) return;

  const lock = await lockParked(connection);
  try {
    for (let round = 1; !(await agrees(link, PARKED)); round++) {
      if (!(await agrees(link, { name: PARKED.name, arguments: FORMER_ARGUMENTS }))) return;
      if (round > MAX_ROUNDS) throw new Error(`${PARKED.name} is declared with its former arguments again and again`);
      log.warn('the parked queue has its former arguments; its messages are moved', { queue: PARKED.name });
      await replaceQueue(link, ownUser);
    }
    if (await exists(link, HALFWAY.name)) await returnMessages(link, ownUser, log);
  } finally {
    await unlockParked(lock);
    await lock.close();
  }
}

/** Copies everything out of the parked queue, and deletes it. */
async function replaceQueue(link: ChannelModel, ownUser: string): Promise<void> {
  await agrees(link, HALFWAY);
  const copy = await startCopy(link, { from: PARKED.name, to: HALFWAY.name, ownUser });
  try {
    if (!(await copy.untilEmpty())) throw new Error(`${HALFWAY.name} refuses messages; ${PARKED.name} stays as it is`);
    await copy.deleteSource();
  } finally {
    await copy.close();
  }
}

/** Copies everything back for which there is room. */
async function returnMessages(link: ChannelModel, ownUser: string, log: Log): Promise<void> {
  const copy = await startCopy(link, { from: HALFWAY.name, to: PARKED.name, ownUser });
  try {
    const isDone = await copy.untilEmpty();
    if (isDone) await copy.deleteSource();
    else {
      log.error('the parked queue is full; the newest of its former messages wait and follow at the next start', {
        queue: HALFWAY.name,
      });
    }
  } finally {
    await copy.close();
  }
}

interface Copy {
  /**
   * Resolves when the source has nothing more, with true, or when the target refuses messages, with false. Rejects when
   * another consumer keeps what it holds of the source.
   */
  untilEmpty: () => Promise<boolean>;
  /** Copies, too, what the source still delivers until its deletion is told. */
  deleteSource: () => Promise<void>;
  /** Gives back what is not copied. */
  close: () => Promise<void>;
}

async function startCopy(
  link: ChannelModel,
  { from, to, ownUser }: { from: string; to: string; ownUser: string },
): Promise<Copy> {
  const [reader, writer] = [await openChannel(link), await link.createConfirmChannel()];
  let inFlight = 0;
  let received = 0;
  let isFull = false;
  let fault: Error | null = null;
  const fail = (error: Error): void => {
    fault ??= error;
  };
  for (const channel of [reader, writer]) {
    channel.on('error', fail);
    channel.on('close', () => fail(new Error('the channel was lost')));
  }
  // The broker returns a message before it confirms it: nothing is acknowledged that has reached no queue.
  writer.on('return', () => fail(new Error(`${to} is gone`)));

  let end: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const onMessage = (message: ConsumeMessage | GetMessage | null): void => {
    if (message === null) return end();
    inFlight += 1;
    received += 1;
    publishCopy(writer, to, message, ownUser, (error) => {
      inFlight -= 1;
      if (error !== null) isFull = true;
      else if (fault === null) reader.ack(message);
    });
  };
  const settled = async (isOver: () => Promise<boolean>): Promise<void> => {
    while (!(await isOver())) {
      if (fault !== null) throw fault;
      await pause(LOOK_MS);
    }
    if (fault !== null) throw fault;
  };

  const isSourceEmpty = createEmptinessCheck(reader, from, onMessage);
  const isEmpty = async (): Promise<boolean> => (await isSourceEmpty()) && inFlight === 0;

  await reader.prefetch(IN_FLIGHT);
  await reader.consume(from, onMessage);
  return {
    untilEmpty: async () => {
      // A message that has left the queue may still be on its way to us, so the queue must be quiet for some looks.
      for (let looks = 0, before = -1; looks < QUIET_LOOKS && !isFull; looks = received === before ? looks + 1 : 0) {
        before = received;
        await settled(async () => isFull || (inFlight === 0 && (await isEmpty())));
        await pause(LOOK_MS);
      }
      return !isFull;
    },
    deleteSource: async () => {
      await reader.deleteQueue(from);
      await Promise.race([ended, pause(END_MS)]);
      await settled(() => Promise.resolve(inFlight === 0));
    },
    close: async () => {
      for (const channel of [reader, writer]) await channel.close().catch(() => undefined);
    },
  };
}

/**
 * Returns how to ask whether a queue that is consumed here is empty. A count is no proof: a quorum queue whose leader is
 * slow to answer is told as one without messages and consumers. So our own consumer must be counted, and only it, since
 * another one may hold messages; and `get` must find nothing. A message that it finds goes to `onMessage`.
 */
function createEmptinessCheck(
  reader: Channel,
  queue: string,
  onMessage: (message: GetMessage) => void,
): () => Promise<boolean> {
  let othersSince: number | null = null;
  return async () => {
    const { consumerCount } = await reader.checkQueue(queue);
    if (consumerCount > 1) {
      othersSince ??= clock.monotonicMs();
      if (clock.monotonicMs() - othersSince < OTHERS_MS) return false;
      throw new Error(`${queue} has a consumer of somebody else's, which may hold messages: end it, and start again`);
    }
    othersSince = null;
    if (consumerCount === 0) return false;
    const message = await reader.get(queue);
    if (message === false) return true;
    onMessage(message);
    return false;
  };
}

/** The same message, as far as this service reads it: its own signature stays, another user's cannot be written. */
function publishCopy(
  writer: ConfirmChannel,
  to: string,
  { content, properties }: ConsumeMessage | GetMessage,
  ownUser: string,
  onConfirm: (error: Error | null) => void,
): void {
  const { contentType, contentEncoding, correlationId, messageId, timestamp, type, appId, userId } =
    properties as Options.Publish;
  const sealed: Options.Publish = {
    persistent: true,
    mandatory: true,
    headers: copyHeaders(properties.headers),
    ...(userId === ownUser && { userId }),
  };
  const described = { ...sealed, contentType, contentEncoding, correlationId, messageId, timestamp, type, appId };
  try {
    writer.publish('', to, content, described, onConfirm);
  } catch {
    // Bytes that are no UTF-8 were read as longer ones, and a property may not fit on its way out.
    writer.publish('', to, content, sealed, onConfirm);
  }
}

/** The counters of the broker are its own; `CC` and `BCC` would send the message elsewhere, too. */
const UNCOPIED_HEADERS: ReadonlySet<string> = new Set(['x-delivery-count', 'x-acquired-count', 'CC', 'BCC']);

const copyHeaders = (headers: object | undefined): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).filter(
      ([name, value]) => !UNCOPIED_HEADERS.has(name) && ['string', 'number', 'boolean'].includes(typeof value),
    ),
  );

/** Declares a queue where it is missing; whether it then has these arguments. */
async function agrees(
  link: ChannelModel,
  queue: { name: string; arguments: Readonly<Record<string, string | number>> },
): Promise<boolean> {
  const channel = await openChannel(link);
  try {
    await channel.assertQueue(queue.name, { durable: true, arguments: { ...queue.arguments } });
    await channel.close();
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === PRECONDITION_FAILED) return false;
    throw error;
  }
}

async function exists(link: ChannelModel, queue: string): Promise<boolean> {
  const channel = await openChannel(link);
  try {
    await channel.checkQueue(queue);
    await channel.close();
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_FOUND) return false;
    throw error;
  }
}
