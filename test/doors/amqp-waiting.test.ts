import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { EXCHANGES, REQUEST_QUEUES } from '../../contracts/topology.js';
import type { Dispatch, IncomingRequest, Reply } from '../../src/requests/request.js';
import type { OpenBroker } from '../broker/open-broker.js';
import { eventually } from '../support/eventually.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { type OpenDoor, openAmqpDoor } from './open-amqp-door.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

let open: OpenDoor | undefined;
/** How often the door has heard whether callers are still there. */
let heard = 0;
/** The last request's own question. */
let hasGone: NonNullable<IncomingRequest['hasGone']>;
beforeEach(() => {
  heard = 0;
});
afterEach(() => open?.close());

const dispatch: Dispatch = (request) => {
  const ask = request.hasGone;
  if (ask === undefined) return harness.dispatch(request);
  hasGone = ask;
  const counted = async (toldMs: number) => {
    const answer = await ask(toldMs);
    heard += 1;
    return answer;
  };
  return harness.dispatch({ ...request, hasGone: counted });
};

/** Opens the address that replies are to be sent to. */
type OpenAddress = (channel: ConfirmChannel, onReply: (message: ConsumeMessage | null) => void) => Promise<string>;

const ADDRESSES: [kind: string, openAddress: OpenAddress][] = [
  [
    'direct reply-to',
    async (channel, onReply) => {
      await channel.consume('amq.rabbitmq.reply-to', onReply, { noAck: true });
      return 'amq.rabbitmq.reply-to';
    },
  ],
  [
    'an exclusive queue that the broker has named',
    async (channel, onReply) => {
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.consume(queue, onReply, { noAck: true });
      return queue;
    },
  ],
  [
    'an auto-delete queue of its own',
    async (channel, onReply) => {
      const { queue } = await channel.assertQueue(`reply.${randomUUID()}`, { autoDelete: true, durable: false });
      await channel.consume(queue, onReply, { noAck: true });
      return queue;
    },
  ],
];

/** A caller with a connection of its own. */
async function openCaller(broker: OpenBroker, openAddress: OpenAddress) {
  const connection = await connect(broker.vhost.url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const replies: Reply[] = [];
  const replyTo = await openAddress(channel, (message) => {
    if (message !== null) replies.push(JSON.parse(message.content.toString()) as Reply);
  });
  return {
    replies,
    /** Asks for an account and waits for it; resolves when the broker has the request. */
    askToWait: async (user: number, service_name: string) => {
      const body = Buffer.from(JSON.stringify(wish(user, { service_name, wait_ms: 60_000 })));
      const properties = { contentType: 'application/json', messageId: randomUUID(), replyTo };
      channel.publish(EXCHANGES.requests.name, 'account.allocate', body, properties);
      await channel.waitForConfirms();
    },
    leave: () => connection.close(),
  };
}

const wish = (user: number, more: Record<string, unknown> = {}) => ({
  user_id: user,
  purpose: 'general',
  service_name: 'inviting',
  include_session: false,
  ...more,
});

/** A user whose only account is leased, and how to give the account back. */
async function leaseOnly() {
  const user = newUser();
  const [account_id = ''] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const release = () =>
    harness.succeed('account.release', { account_id, service_name: 'inviting', usage_stats: { success: true } });
  return { user, account_id, release };
}

const holdersOf = async (accountId: string) =>
  (
    await harness.query<{ service_name: string }>(
      'SELECT service_name FROM leases WHERE account_id = $1 ORDER BY fence',
      [accountId],
    )
  ).map(({ service_name }) => service_name);

/** A caller is asked after before its request is served for the first time, and then whenever its line is woken. */
/** On a slow machine some are asked for often before the last has come. */
const untilWaiting = (requests = 1) =>
  eventually('they stand in the line', () => heard >= 2 * requests && (open?.dispatched.length ?? 0) >= requests);
const untilKnown = () => eventually('the broker knows that the caller has gone', () => hasGone(0));
const untilSettled = (door: OpenDoor) => eventually('all is settled', () => door.door.state().inWork === 0);

test.each(ADDRESSES)('a caller that waits with %s gets the account once it is free', async (_kind, openAddress) => {
  open = await openAmqpDoor({ dispatch });
  const { user, account_id, release } = await leaseOnly();
  const caller = await openCaller(open.broker, openAddress);
  await caller.askToWait(user, 'staying');
  await untilWaiting();
  await release();
  await eventually('it is answered', () => caller.replies.length === 1);
  expect(caller.replies[0]).toMatchObject({ success: true, allocation: { account_id } });
  await caller.leave();
});

test.each(ADDRESSES)('a caller that waited with %s and has gone is given nothing', async (_kind, openAddress) => {
  open = await openAmqpDoor({ dispatch });
  const { user, account_id, release } = await leaseOnly();
  const caller = await openCaller(open.broker, openAddress);
  await caller.askToWait(user, 'leaving');
  await untilWaiting();
  await caller.leave();
  await untilKnown();
  await release();
  await harness.succeed('account.allocate', wish(user, { service_name: 'next', wait_ms: 20_000 }));
  await untilSettled(open);
  expect(await holdersOf(account_id)).toEqual(['inviting', 'next']);
});

test('the places of those who have gone are free again, without anybody waking them', async () => {
  open = await openAmqpDoor({ dispatch });
  const { user, release } = await leaseOnly();
  const [, openAddress] = ADDRESSES[0]!;
  const leaving = await openCaller(open.broker, openAddress);
  // All places that one caller may have.
  const places = Array.from({ length: 32 });
  for (const _ of places) await leaving.askToWait(user, 'busy');
  await untilWaiting(places.length);
  const patient = await openCaller(open.broker, openAddress);
  await patient.askToWait(user, 'busy');
  await eventually('it is refused, for want of a place', () => patient.replies.length === 1);
  await leaving.leave();
  await untilSettled(open);
  heard = 0;
  await patient.askToWait(user, 'busy');
  await untilWaiting();
  await release();
  await eventually('it is answered', () => patient.replies.length === 2);
  expect(patient.replies.map(({ success }) => success)).toEqual([false, true]);
  await patient.leave();
});

test('those who wait stand in line again when the broker delivers their messages again', async () => {
  open = await openAmqpDoor({ dispatch });
  const { user, account_id, release } = await leaseOnly();
  const [, openAddress] = ADDRESSES[0]!;
  const caller = await openCaller(open.broker, openAddress);
  const places = Array.from({ length: 32 });
  for (const _ of places) await caller.askToWait(user, 'busy');
  await untilWaiting(places.length);
  heard = 0;
  // As after the loss of a connection: the broker takes them all back.
  open.door.consumers().get(REQUEST_QUEUES.allocate.name)?.renew();
  await eventually('all are delivered again', () => open?.dispatched.length === 2 * places.length);
  await untilWaiting(places.length);
  expect(open.door.state().inWork).toBe(places.length);
  expect(caller.replies).toEqual([]);
  await release();
  await eventually('one is answered', () => caller.replies.length > 0);
  expect(caller.replies).toMatchObject([{ success: true, allocation: { account_id } }]);
  await caller.leave();
});

test.each(
  ADDRESSES,
)('a caller with %s that had gone before anybody served it is given nothing', async (_kind, openAddress) => {
  const user = newUser();
  const [account_id = ''] = await harness.registerAccounts(user, 1);
  open = await openAmqpDoor({
    dispatch,
    beforeStart: async (broker) => {
      const caller = await openCaller(broker, openAddress);
      await caller.askToWait(user, 'leaving');
      await caller.leave();
    },
  });
  await eventually('it is served', () => open?.dispatched.length === 1);
  await untilSettled(open);
  expect(await holdersOf(account_id)).toEqual([]);
});

test('a reply queue that outlives its caller counts as read', async () => {
  const user = newUser();
  const [account_id = ''] = await harness.registerAccounts(user, 1);
  open = await openAmqpDoor({
    dispatch,
    beforeStart: async (broker) => {
      const caller = await openCaller(broker, async (channel) => (await channel.assertQueue('reply.kept')).queue);
      await caller.askToWait(user, 'away');
      await caller.leave();
    },
  });
  await eventually('it is served', () => open?.dispatched.length === 1);
  await untilSettled(open);
  expect(await holdersOf(account_id)).toEqual(['away']);
});
