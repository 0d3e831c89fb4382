import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { type CloudEvent, cloudEvent } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import type { RunningService } from '../support/service.js';
import { manage } from '../support/vhost.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
let services: RunningService[];
const received: ConsumeMessage[] = [];
beforeAll(async () => {
  installation = await startInstallation();
  services = await Promise.all([installation.start(), installation.start()]);
  const channel = await installation.client.connection.createChannel();
  const { queue } = await channel.assertQueue('subscriber');
  await channel.bindQueue(queue, EXCHANGES.events.name, '#');
  await channel.consume(queue, (message) => message !== null && received.push(message), { noAck: true });
});
afterAll(() => installation.close());

const USER = 1;
const ACCOUNTS = 6;

/** Makes events until told to stop: each turn grants, renews and releases. Refusals meanwhile do not matter. */
function keepBusy(): { stop: () => Promise<void> } {
  const { client } = installation;
  let stopping = false;
  const work = Array.from({ length: ACCOUNTS }, async () => {
    while (!stopping) {
      const wish = { user_id: USER, purpose: 'general', service_name: 'invite-service' };
      const granted = await client.call('account.allocate', wish);
      if (!granted.success) continue;
      const { account_id, lease_id, fence } = granted.allocation as Record<string, unknown>;
      const holder = { account_id, lease_id, fence, service_name: 'invite-service' };
      await client.call('account.renew', holder);
      await client.call('account.release', { ...holder, usage_stats: {} });
    }
  });
  return {
    stop: async () => {
      stopping = true;
      await Promise.all(work);
    },
  };
}

const relaying = (): RunningService | undefined =>
  services.find((service) => service.log().includes('outbox relay works here'));

/** Has the broker close the connection the process publishes on, as an operator would. */
async function closePublisher(service: RunningService): Promise<void> {
  const isPublisher = ({ client_properties: { connection_name: name = '' } }: Connection) =>
    name.includes('publisher') && name.endsWith(`-${service.process.pid}`);
  const found = await eventually('the management page has seen the connection', async () =>
    ((await manage('GET', `/api/vhosts/${installation.vhost}/connections`)) as Connection[]).find(isPublisher),
  );
  await manage('DELETE', `/api/connections/${encodeURIComponent(found?.name ?? '')}`);
  await eventually('the process has seen it', () => service.log().includes('broker disconnected'));
}

interface Connection {
  name: string;
  client_properties: { connection_name?: string };
}

test('events on the bus are the rows of the table, in order per account, through breaks of the relay', async () => {
  const { register, query } = installation;
  await register(USER, ACCOUNTS);
  const busy = keepBusy();
  const first = await eventually('one of the two relays', relaying);
  await closePublisher(first as RunningService);
  const before = received.length;
  await eventually('events flow again', () => received.length > before + 20);
  await first?.kill();
  services = services.filter((service) => service !== first);
  await eventually('the other relays', relaying);
  const between = received.length;
  await eventually('events flow again', () => received.length > between + 20);
  await busy.stop();
  await eventually('all are published', async () => {
    return (await query('SELECT FROM outbox')).length === 0;
  });

  const rows = await query<{ id: string; type: string; account_id: string; sequence: number; lease_id: string }>(
    `SELECT event_id::text AS id, type, account_id::text, sequence::int, data->>'lease_id' AS lease_id
     FROM events ORDER BY account_id, sequence`,
  );
  const seen = new Set<string>();
  const firsts = received
    .map((message) => cloudEvent.parse(JSON.parse(message.content.toString())))
    .filter(({ id }) => !seen.has(id) && seen.add(id));
  const ofAccount = (accountId: string | undefined) => firsts.filter(({ subject }) => subject === accountId);
  const accounts = [...new Set(rows.map((row) => row.account_id))];
  expect(accounts).toHaveLength(ACCOUNTS);
  // In order of arrival, which must be the order of the sequences, without a gap.
  expect(accounts.flatMap((accountId) => ofAccount(accountId).map(toRow))).toEqual(rows);
  for (const message of received) {
    expect(message.fields.routingKey).toBe(message.properties.type);
    expect(message.content.toString()).not.toMatch(/session|phone/);
  }
});

const toRow = ({ id, type, subject, data }: CloudEvent) => ({
  id,
  type,
  account_id: subject,
  sequence: data.sequence,
  lease_id: data.lease_id ?? null,
});
