import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Channel, type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import { EXCHANGES } from '../../contracts/topology.js';
import { type AccountManagerClient, connectAccountManager } from '../../examples/client/account-manager-client.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const STATS = { total_active: 1 };
let vhost: TestVhost;
let connection: ChannelModel;
let channel: Channel;
let client: AccountManagerClient;
/** What the account manager was asked, and how it answers the nth time. */
let asked: ConsumeMessage[];
let answers: object[];

beforeAll(async () => {
  vhost = await createVhost();
  connection = await connect(vhost.url);
  channel = await connection.createChannel();
  await channel.assertExchange(EXCHANGES.requests.name, EXCHANGES.requests.type, { durable: true });
  client = await connectAccountManager(vhost.url, 'test');
});
afterAll(async () => {
  await client.close();
  await connection.close();
  await vhost.drop();
});
beforeEach(() => {
  asked = [];
  answers = [];
});

/** Serves the requests that arrive from now on. */
async function serve(): Promise<void> {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.requests.name, '#');
  const answer = (message: ConsumeMessage | null) => {
    if (message === null) return;
    asked.push(message);
    const { replyTo, correlationId } = message.properties as { replyTo: string; correlationId: string };
    channel.sendToQueue(replyTo, Buffer.from(JSON.stringify(answers.shift())), { correlationId });
  };
  await channel.consume(queue, answer, { noAck: true });
}

test('a request that no queue takes is sent until the time is over, and says so', async () => {
  await expect(client.request('query.recovery-stats', {}, 1200)).rejects.toThrow(
    'query.recovery-stats: no queue takes it',
  );
});

test('a request is sent again under its message_id until it is served; what comes then is the reply', async () => {
  const early = client.request('query.recovery-stats', {});
  await serve();
  answers = [
    { success: false, error: { code: 'UNAVAILABLE', message: 'later', retryable: true } },
    { success: true, stats: STATS },
  ];
  await expect(early).resolves.toEqual({ success: true, stats: STATS });
  const [first, second] = asked;
  expect(asked).toHaveLength(2);
  expect(second?.properties).toEqual(first?.properties);
  expect(first?.properties).toMatchObject({
    deliveryMode: 2,
    contentType: 'application/json',
    userId: new URL(vhost.url).username,
  });
});

test('who asks too much is told so when there is no time left to come back', async () => {
  const message = 'requests_per_second: too many';
  answers = [{ success: false, error: { code: 'UNAVAILABLE', message, retryable: true, retry_after_ms: 60_000 } }];
  await expect(client.request('query.recovery-stats', {})).rejects.toThrow(message);
  expect(asked).toHaveLength(1);
});

test('a refusal is a reply; simultaneous requests get each its own', async () => {
  const refusal = { success: false, error: { code: 'ALL_BUSY', message: 'all leased', retryable: true } };
  answers = [refusal, { success: true, stats: STATS }];
  const replies = await Promise.all([
    client.request('account.allocate', { user_id: 1, purpose: 'general', service_name: 'test' }),
    client.request('query.recovery-stats', {}),
  ]);
  expect(replies).toEqual([refusal, { success: true, stats: STATS }]);
});

test('a lost connection is opened again, and the request that was under way is repeated', async () => {
  // A missing exchange closes the channel, and with it the client's connection.
  await expect(
    client.request('admin.register', { accounts: [{ user_id: 1, phone: '+99966', session_data: '' }] }, 1200),
  ).rejects.toThrow(/NOT_FOUND|no exchange/);
  answers = [{ success: true, stats: STATS }];
  await expect(client.request('query.recovery-stats', {})).resolves.toEqual({ success: true, stats: STATS });
});
