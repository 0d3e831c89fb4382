import { randomUUID } from 'node:crypto';
import { type ConsumeMessage, connect, type Options } from 'amqplib';
import { DEAD_LETTERS, EXCHANGES, PARKED, REQUEST_QUEUES, RETRY_STEPS } from '../../contracts/topology.js';
import type { Plan } from './plan.js';

/** Fate of a message that asked for an answer. */
export type Outcome = { answer: ConsumeMessage } | 'unroutable' | 'unencodable';

/** A caller who keeps account of every message, and an operator who takes what is parked. */
export interface FuzzBus {
  /** Sends the plan's message, the nth; null: it asked for no answer that could be told from another's. */
  send: (n: number, plan: Plan, body: Buffer) => Promise<Outcome | null>;
  /** By the number of the message: answers, and parked copies. */
  answers: ReadonlyMap<number, number>;
  parked: ReadonlyMap<number, number>;
  /** Answers to messages without a name of their own. */
  nameless: { asked: number; answered: number; unroutable: number; parked: number };
  /** All that was parked or announced and holds the text. */
  leaks: () => string[];
  /** Resolves when the service has taken everything out of its queues. */
  untilIdle: () => Promise<void>;
  close: () => Promise<void>;
}

const NAMED = 'reply.fuzz';
const NAMELESS = 'reply.fuzz.nameless';
const ANSWER_TIMEOUT_MS = 90_000;
const QUEUES = [...Object.values(REQUEST_QUEUES), DEAD_LETTERS, ...RETRY_STEPS].map(({ name }) => name);

export async function openFuzzBus(url: string, canary: string): Promise<FuzzBus> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  const answers = new Map<number, number>();
  const parked = new Map<number, number>();
  const nameless = { asked: 0, answered: 0, unroutable: 0, parked: 0 };
  const leaks: string[] = [];
  const waiting = new Map<number, (outcome: Outcome) => void>();
  const byMessageId = new Map<string, number>();
  let lost: Error | null = null;
  const lose = (error: Error) => (lost ??= error);
  channel.on('error', lose);
  connection.on('error', lose);

  const numberOf = ({ properties }: Pick<ConsumeMessage, 'properties'>): number | undefined => {
    const { correlationId, messageId } = properties as { correlationId: unknown; messageId: unknown };
    const name = /^f(\d+)(\.|$)/.exec(String(correlationId))?.[1];
    return name === undefined
      ? (byMessageId.get(String(correlationId)) ?? byMessageId.get(String(messageId)))
      : Number(name);
  };
  const count = (into: Map<number, number>, n: number) => void into.set(n, (into.get(n) ?? 0) + 1);
  const search = (where: string, message: ConsumeMessage) => {
    if (`${message.content.toString()} ${JSON.stringify(message.properties)}`.includes(canary)) leaks.push(where);
  };
  const take = (queue: string, taken: (message: ConsumeMessage) => void) =>
    channel.consume(queue, (message) => message !== null && taken(message), { noAck: true });
  const answered = (message: ConsumeMessage) => {
    const n = numberOf(message);
    if (n === undefined) return lose(new Error(`an answer to nobody: ${JSON.stringify(message.properties)}`));
    count(answers, n);
    waiting.get(n)?.({ answer: message });
  };

  await channel.assertQueue(NAMED, { exclusive: true });
  await channel.assertQueue(NAMELESS, { exclusive: true });
  const { queue: events } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(events, EXCHANGES.events.name, '#');
  await take('amq.rabbitmq.reply-to', answered);
  await take(NAMED, answered);
  await take(NAMELESS, () => nameless.answered++);
  await take(events, (message) => search(`event ${message.fields.routingKey}`, message));
  await take(PARKED.name, (message) => {
    search(`parked ${String(message.properties.headers?.['x-original-routing-key'])}`, message);
    const n = numberOf(message);
    if (n === undefined) nameless.parked++;
    else count(parked, n);
  });
  channel.on('return', (message: ConsumeMessage) => {
    const n = numberOf(message);
    if (n === undefined) nameless.unroutable += message.properties.replyTo === NAMELESS ? 1 : 0;
    else waiting.get(n)?.('unroutable');
  });

  /** The property's bytes are bounded by the protocol. */
  const short = (text: string): string => Buffer.from(text).subarray(0, 200).toString();

  const send: FuzzBus['send'] = (n, plan, body) => {
    if (lost) return Promise.reject(lost);
    const { envelope } = plan;
    const key = short(envelope.key ?? plan.operation);
    const messageId = nameMessage(n, envelope.messageId);
    const isNameless = envelope.correlation === 'none' && envelope.messageId !== 'fresh';
    if (messageId !== undefined && envelope.messageId === 'fresh') byMessageId.set(messageId, n);
    const replyTo = {
      direct: 'amq.rabbitmq.reply-to',
      named: NAMED,
      none: undefined,
      refused: 'account-manager.requests.mailbox',
    }[envelope.replyTo];
    const asks = envelope.replyTo === 'direct' || envelope.replyTo === 'named';
    const options: Options.Publish = {
      mandatory: true,
      persistent: n % 2 === 0,
      messageId,
      correlationId: correlate(n, envelope.correlation, short),
      replyTo: asks && isNameless ? NAMELESS : replyTo,
      contentType: envelope.contentType ?? 'application/json',
      contentEncoding: envelope.contentEncoding ?? undefined,
      expiration: forgesDeaths(envelope) ? undefined : (envelope.expirationMs ?? undefined),
      type: envelope.type === null ? undefined : short(envelope.type),
      headers: Object.defineProperties(
        {},
        Object.fromEntries(
          envelope.headers.map(([name, value]) => [short(name), { value, enumerable: true, configurable: true }]),
        ),
      ),
    };
    const publish = (): boolean => {
      try {
        channel.publish(exchangeOf(key), key, body, options);
        return true;
      } catch {
        return false; // Such as a header that AMQP has no form for.
      }
    };
    if (!asks || isNameless) {
      if (publish() && isNameless && asks) nameless.asked++;
      return Promise.resolve(null);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(lost ?? new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`));
      }, ANSWER_TIMEOUT_MS);
      const settle = (outcome: Outcome) => {
        waiting.delete(n);
        clearTimeout(timer);
        resolve(outcome);
      };
      waiting.set(n, settle);
      if (!publish()) settle('unencodable');
    });
  };

  return {
    send,
    answers,
    parked,
    nameless,
    leaks: () => leaks,
    untilIdle: async () => {
      for (let quiet = 0; quiet < 3; ) {
        if (lost) throw lost;
        const counts = await Promise.all(QUEUES.map((queue) => channel.checkQueue(queue)));
        quiet = counts.every(({ messageCount }) => messageCount === 0) ? quiet + 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    close: () => connection.close(),
  };
}

/**
 * Brokers before 4.0 read this header when they dead-letter. One that is not of their own making ends that work for the
 * whole node (seen with 3.10.8), and no service behind the broker can prevent it: docs/operating.md.
 */
const forgesDeaths = ({ headers }: Plan['envelope']): boolean => headers.some(([name]) => name === 'x-death');

const exchangeOf = (key: string): string => (key.startsWith('admin.') ? EXCHANGES.admin.name : EXCHANGES.requests.name);

/** The id of one before, now and then under another body; UUIDs that follow from the number can be sent again. */
function nameMessage(n: number, given: Plan['envelope']['messageId']): string | undefined {
  if (given === 'none') return undefined;
  if (given === 'fresh') return randomUUID();
  if (given === 'repeat') return `00000000-0000-4000-8000-${String(Math.floor(n / 400)).padStart(12, '0')}`;
  return Buffer.from(given.text).subarray(0, 200).toString();
}

function correlate(
  n: number,
  given: Plan['envelope']['correlation'],
  short: (text: string) => string,
): string | undefined {
  if (given === 'none') return undefined;
  return given === 'fresh' ? `f${n}` : short(`f${n}.${given.text}`);
}
