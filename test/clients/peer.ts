import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationName } from '@account-manager/client';
import { expect } from '@jest/globals';
import { type Channel, connect, type ConsumeMessage } from 'amqplib';
import { ENVELOPE } from '../../contracts/envelope.js';
import { EVENT_CONTENT_TYPE, EVENT_SOURCE } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { type Body, defaults, fill, hold, merge, type PeerAnswer, type Scenario, type Step } from './scenario.js';

/** A request by its `message_id`, with every copy of it. */
interface Asked {
  operation: OperationName;
  body: Body;
  copies: ConsumeMessage[];
  /** Sent to copies; absent: the next copy takes the next answer. */
  stored?: Body;
}

/** Takes the service's place in a vhost: answers as a scenario says, and remembers what it was asked. */
export interface Peer {
  /** Begins a scenario: forgets the one before. */
  begin: (scenario: Scenario) => Promise<void>;
  publish: (events: NonNullable<Step['publish']>) => void;
  /** When the lease that was granted or renewed last ends, epoch milliseconds. */
  leaseEndsAt: () => number;
  /** Holds what it was asked against what the scenario expects. */
  check: () => void;
  close: () => Promise<void>;
}

const QUEUE = 'peer';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function openPeer(url: string): Promise<Peer> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  for (const { name, type } of [EXCHANGES.requests, EXCHANGES.admin, EXCHANGES.events]) {
    await channel.assertExchange(name, type, { durable: true });
  }
  await channel.assertQueue(QUEUE);
  await channel.bindQueue(QUEUE, EXCHANGES.requests.name, '#');
  await channel.bindQueue(QUEUE, EXCHANGES.admin.name, 'admin.run-job');
  let scenario: Scenario | null = null;
  let answers = new Map<string, PeerAnswer[]>();
  let asked = new Map<string, Asked>();
  let leaseEndsAt = 0;

  const take = (operation: string): PeerAnswer => {
    const [next] = answers.get(operation) ?? [];
    if (next?.always !== true) answers.get(operation)?.shift();
    return next ?? { merge: {} };
  };
  const answer = async (message: ConsumeMessage): Promise<void> => {
    const operation = message.fields.routingKey as OperationName;
    const id = String(message.properties.messageId);
    const request: Asked = asked.get(id) ?? { operation, body: JSON.parse(message.content.toString()), copies: [] };
    asked.set(id, request);
    request.copies.push(message);
    if (request.stored) return reply(channel, message, request.stored);
    const chosen = take(operation);
    if (chosen.silence) return;
    if (chosen.delay_ms !== undefined && (chosen.lose ?? chosen.refuse) === undefined) {
      // Chosen now, filled in when it is sent: its instants count from then.
      request.stored = {};
      await sleep(chosen.delay_ms);
    }
    const body = bodyOf(chosen.lose ?? chosen, operation);
    const { allocation, expires_at, error } = body as {
      allocation?: { expires_at: string };
      expires_at?: string;
      error?: { code: string };
    };
    const endsAt = allocation?.expires_at ?? expires_at;
    if (endsAt !== undefined) leaseEndsAt = Date.parse(endsAt);
    if (!['UNAVAILABLE', 'INTERNAL'].includes(error?.code ?? '')) request.stored = body;
    if (!chosen.lose) for (const copy of request.copies) reply(channel, copy, body);
  };
  await channel.consume(QUEUE, (message) => message && void answer(message), { noAck: true });

  return {
    begin: async (next) => {
      await channel.purgeQueue(QUEUE);
      await channel.deleteQueue('events.scenarios');
      scenario = next;
      answers = new Map(Object.entries(next.peer ?? {}).map(([operation, list]) => [operation, [...list]]));
      asked = new Map();
    },
    publish: (events) => {
      for (const event of events) channel.publish(EXCHANGES.events.name, event.type, ...toMessage(event));
    },
    leaseEndsAt: () => leaseEndsAt,
    check: () => checkAsked(scenario, [...asked.values()], new URL(url).username),
    close: () => connection.close(),
  };
}

function bodyOf({ merge: added, reply: whole, refuse }: PeerAnswer, operation: string): Body {
  if (refuse) return { success: false, error: { message: 'refused', ...refuse } as Body };
  return fill(whole ?? merge(defaults[operation], added ?? {}));
}

function reply(channel: Channel, { properties, fields }: ConsumeMessage, body: Body): void {
  const { code } = (body.error ?? {}) as { code?: string };
  channel.sendToQueue(String(properties.replyTo), Buffer.from(JSON.stringify(body)), {
    correlationId: String(properties.correlationId),
    messageId: randomUUID(),
    type: fields.routingKey,
    contentType: 'application/json',
    headers: code === undefined ? {} : { [ENVELOPE.errorCodeHeader]: code },
  });
}

function toMessage({ id, type, subject, sequence }: NonNullable<Step['publish']>[number]): [Buffer, object] {
  const data = subject === undefined ? {} : { account_id: subject, user_id: 101, sequence };
  const time = new Date().toISOString();
  const event = {
    specversion: '1.0',
    id,
    source: EVENT_SOURCE,
    type,
    time,
    subject,
    datacontenttype: 'application/json',
    data,
  };
  return [Buffer.from(JSON.stringify(event)), { contentType: EVENT_CONTENT_TYPE, persistent: true, messageId: id }];
}

function checkAsked(scenario: Scenario | null, all: readonly Asked[], user: string): void {
  const ownUser = usesOtherUser(scenario) ? null : user;
  expect(all.flatMap((request) => faultsOf(request, ownUser))).toEqual([]);
  for (const [operation, expected] of Object.entries(scenario?.asked ?? {})) {
    const got = all.filter((request) => request.operation === operation);
    expect(`${operation}: ${got.length}`).toBe(`${operation}: ${expected.length}`);
    for (const [index, { body, copies }] of expected.entries()) {
      if (body) hold(got[index]?.body, body);
      if (typeof copies === 'number') expect(got[index]?.copies).toHaveLength(copies);
      else if (copies) expect(got[index]?.copies.length).toBeGreaterThanOrEqual(copies.at_least);
    }
  }
  for (const [operation, count] of Object.entries(scenario?.asked_count ?? {})) {
    expect(`${operation}: ${all.filter((request) => request.operation === operation).length}`).toBe(
      `${operation}: ${count}`,
    );
  }
}

/** Faults in the properties of a request and its copies; plain comparisons, for there may be thousands. */
function faultsOf({ operation, copies }: Asked, user: string | null): string[] {
  const [first] = copies as [ConsumeMessage];
  const { deliveryMode, contentType, messageId, correlationId, replyTo, userId, headers } = first.properties;
  const deadline = String(headers?.[ENVELOPE.deadlineHeader]);
  const sameAsFirst = ({ properties, content }: ConsumeMessage): boolean =>
    JSON.stringify({ ...properties, replyTo }) === JSON.stringify(first.properties) && content.equals(first.content);
  const rules = {
    persistent: deliveryMode === 2,
    contentType: contentType === ENVELOPE.contentType,
    messageId: UUID.test(String(messageId)),
    correlationId: correlationId === messageId,
    // The broker has put the address of the channel in its place.
    replyTo: String(replyTo).startsWith('amq.rabbitmq.reply-to'),
    userId: user === null || userId === user,
    deadline: new Date(deadline).toISOString() === deadline,
    copies: copies.every(sameAsFirst),
  };
  return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [`${operation}: ${rule}`]));
}

const usesOtherUser = (scenario: Scenario | null): boolean =>
  scenario?.client.some((step) => step.connect_as !== undefined) ?? false;
