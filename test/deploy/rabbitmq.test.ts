import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import {
  DEAD_LETTERS,
  EXCHANGES,
  PARKED,
  REQUEST_QUEUE_KEYS,
  REQUEST_QUEUES,
  RETRY_STEPS,
} from '../../contracts/topology.js';
import { buildDefinitions, hashPassword } from '../../scripts/rabbitmq-definitions.mjs';
import { rabbitmqctl } from '../../scripts/servers/rabbitmq.mjs';
import { declareTopology } from '../../src/broker/topology.js';
import { type BrokerUsers, createBrokerUsers } from '../support/broker-users.js';
import { startPrivateServer } from '../support/private-server.js';
import { testServers } from '../support/servers.js';
import { manage } from '../support/vhost.js';

// Permissions that deploy/rabbitmq gives to each kind of user and keeps from it, on a real broker.

const DEPLOY = path.resolve(import.meta.dirname, '../../deploy/rabbitmq');
const KINDS = { inviting: 'service', messaging: 'service', ops: 'operator', dashboard: 'subscriber' } as const;
type Name = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Name[];

const SERVICE_QUEUES = [
  ...REQUEST_QUEUE_KEYS.map((key) => REQUEST_QUEUES[key].name),
  ...RETRY_STEPS.map(({ name }) => name),
  DEAD_LETTERS.name,
  PARKED.name,
];
const SERVICE_EXCHANGES = Object.values(EXCHANGES).map(({ name }) => name);

let users: BrokerUsers<Name>;
const connections = new Map<Name | 'own', ChannelModel>();

beforeAll(async () => {
  users = await createBrokerUsers(KINDS);
  for (const name of ['own', ...NAMES] as const) {
    const connection = await connect(users.urls[name], { noDelay: true });
    connection.on('error', () => {});
    connections.set(name, connection);
  }
  // Its own rights suffice for all it needs.
  await declareTopology(connections.get('own')!);
  await onChannel('dashboard', async (channel) => {
    await channel.assertQueue(queueOf('dashboard', 'events'));
    await channel.bindQueue(queueOf('dashboard', 'events'), EXCHANGES.events.name, 'account.*');
  });
  await onChannel('messaging', (channel) => channel.assertQueue(queueOf('messaging', 'reply')));
});
afterAll(async () => {
  await Promise.all([...connections.values()].map((connection) => connection.close().catch(() => undefined)));
  await users.drop();
});

const queueOf = (name: Name, kind: 'reply' | 'events'): string => `${kind}.${users.names[name]}.one`;

/** Does something on a channel of its own; answers null, or the code with which the broker refuses it. */
async function onChannel(name: Name | 'own', act: (channel: ConfirmChannel) => unknown): Promise<number | null> {
  const channel = await connections.get(name)!.createConfirmChannel();
  const closed = new Promise<number>((resolve) =>
    channel.on('error', ({ code }: Error & { code?: number }) => resolve(code ?? -1)),
  );
  const done = (async () => {
    await act(channel);
    await channel.waitForConfirms();
    await channel.close();
    return null;
  })();
  // The broker's reason comes with the channel's error; the calls it ends reject with it.
  return Promise.race([closed, done.catch(() => closed)]);
}

const publish =
  (exchange: string, key: string, options = {}) =>
  (channel: ConfirmChannel) => {
    channel.publish(exchange, key, Buffer.from('{}'), { persistent: true, ...options });
  };
const consume = (queue: () => string) => (channel: Channel) => channel.consume(queue(), () => undefined);

interface Refused {
  who: Name;
  what: string;
  act: (channel: ConfirmChannel) => unknown;
  /** 403 unless told otherwise. */
  code?: number;
}

const BY_ALL: Refused[] = NAMES.flatMap((who) => [
  ...SERVICE_QUEUES.flatMap((queue) => [
    { who, what: `reads ${queue}`, act: (channel: Channel) => channel.get(queue) },
    { who, what: `consumes ${queue}`, act: consume(() => queue) },
    { who, what: `empties ${queue}`, act: (channel: Channel) => channel.purgeQueue(queue) },
    { who, what: `deletes ${queue}`, act: (channel: Channel) => channel.deleteQueue(queue) },
    {
      who,
      what: `binds ${queue} to the events`,
      act: (channel: Channel) => channel.bindQueue(queue, EXCHANGES.events.name, '#'),
    },
    { who, what: `publishes straight into ${queue}`, act: publish('', queue) },
  ]),
  ...SERVICE_EXCHANGES.map((exchange) => ({
    who,
    what: `deletes the exchange ${exchange}`,
    act: (channel: Channel) => channel.deleteExchange(exchange),
  })),
  ...[EXCHANGES.events, EXCHANGES.dead, EXCHANGES.retry].map(({ name }) => ({
    who,
    what: `publishes to ${name}`,
    act: publish(name, 'account.allocate'),
  })),
  { who, what: 'declares a queue of the service', act: (channel) => channel.assertQueue('account-manager.mine') },
  { who, what: 'declares a queue of no one', act: (channel) => channel.assertQueue('mine') },
  {
    who,
    what: 'declares the reply queue of another',
    act: (channel) => channel.assertQueue(`reply.another-${users.names.own}`),
  },
  { who, what: 'declares an exchange', act: (channel) => channel.assertExchange('mine', 'topic') },
  {
    who,
    what: 'binds the requests to the events',
    act: (channel) => channel.bindExchange(EXCHANGES.requests.name, EXCHANGES.events.name, '#'),
  },
  {
    who,
    what: 'listens to requests',
    act: async (channel) => {
      const kind = KINDS[who] === 'subscriber' ? 'events' : 'reply';
      await channel.assertQueue(queueOf(who, kind));
      await channel.bindQueue(queueOf(who, kind), EXCHANGES.requests.name, '#');
    },
  },
  {
    who,
    what: 'has replies dead-lettered to the operators’ requests',
    act: (channel) => {
      const kind = KINDS[who] === 'subscriber' ? 'events' : 'reply';
      const target = KINDS[who] === 'operator' ? EXCHANGES.retry : EXCHANGES.admin;
      return channel.assertQueue(`${kind}.${users.names[who]}.two`, {
        arguments: { 'x-dead-letter-exchange': target.name },
      });
    },
  },
]);

const BY_SOME: Refused[] = [
  ...(['inviting', 'messaging', 'dashboard'] as const).map((who) => ({
    who,
    what: 'publishes to the admin exchange',
    act: publish(EXCHANGES.admin.name, 'admin.recover'),
  })),
  ...(['inviting', 'ops'] as const).flatMap((who) => [
    {
      who,
      what: 'publishes an operator’s key as a request',
      act: publish(EXCHANGES.requests.name, 'admin.recover'),
    },
    {
      who,
      what: 'publishes under another’s user',
      act: (channel: ConfirmChannel) =>
        publish(EXCHANGES.requests.name, 'account.allocate', { userId: users.names.messaging })(channel),
      code: 406,
    },
    {
      who,
      what: 'publishes under the service’s own user',
      act: (channel: ConfirmChannel) =>
        publish(EXCHANGES.requests.name, 'account.allocate', { userId: users.names.own })(channel),
      code: 406,
    },
    {
      who,
      what: 'subscribes to events',
      act: async (channel: Channel) => {
        await channel.assertQueue(queueOf(who, 'reply'));
        await channel.bindQueue(queueOf(who, 'reply'), EXCHANGES.events.name, '#');
      },
    },
    { who, what: 'consumes the replies of another', act: consume(() => queueOf('messaging', 'reply')) },
    { who, what: 'consumes the events of another', act: consume(() => queueOf('dashboard', 'events')) },
    {
      who,
      what: 'publishes into the replies of another',
      act: (channel: ConfirmChannel) => publish('', queueOf('messaging', 'reply'))(channel),
    },
  ]),
  { who: 'dashboard', what: 'sends requests', act: publish(EXCHANGES.requests.name, 'query.status') },
  { who: 'dashboard', what: 'consumes the replies of another', act: consume(() => queueOf('messaging', 'reply')) },
  {
    who: 'dashboard',
    what: 'binds the queue of another to the events',
    act: (channel) => channel.bindQueue(queueOf('messaging', 'reply'), EXCHANGES.events.name, '#'),
  },
];

test('every forbidden act is refused', async () => {
  const refused = [...BY_ALL, ...BY_SOME];
  const codes: string[] = [];
  for (const { who, what, act } of refused) codes.push(`${who} ${what}: ${await onChannel(who, act)}`);
  expect(codes).toEqual(refused.map(({ who, what, code = 403 }) => `${who} ${what}: ${code}`));
  expect(refused.length).toBeGreaterThan(200);
});

test('every needed act is allowed', async () => {
  const needed: Refused[] = [
    ...(['inviting', 'ops'] as const).flatMap((who): Refused[] => [
      {
        who,
        what: 'sends requests under its own user',
        act: (channel) => publish(EXCHANGES.requests.name, 'account.allocate', { userId: users.names[who] })(channel),
      },
      {
        who,
        what: 'is answered directly',
        act: async (channel) => {
          await channel.consume('amq.rabbitmq.reply-to', () => undefined, { noAck: true });
          publish(EXCHANGES.requests.name, 'query.status', { replyTo: 'amq.rabbitmq.reply-to' })(channel);
        },
      },
      {
        who,
        what: 'is answered on a queue of its own',
        act: async (channel) => {
          await channel.assertQueue(queueOf(who, 'reply'));
          await channel.consume(queueOf(who, 'reply'), () => undefined);
        },
      },
      {
        who,
        what: 'is answered on a queue that the broker names',
        act: async (channel) => {
          const { queue } = await channel.assertQueue('', { exclusive: true });
          await channel.consume(queue, () => undefined);
        },
      },
    ]),
    { who: 'ops', what: 'sends operators’ requests', act: publish(EXCHANGES.admin.name, 'admin.recover') },
    {
      who: 'dashboard',
      what: 'subscribes',
      act: (channel) => channel.bindQueue(queueOf('dashboard', 'events'), EXCHANGES.events.name, 'alert.*'),
    },
  ];
  for (const { who, what, act } of needed) {
    expect([who, what, await onChannel(who, act)]).toEqual([who, what, null]);
  }

  const received = new Promise((resolve) => {
    void onChannel('dashboard', async (channel) => {
      await channel.consume(queueOf('dashboard', 'events'), resolve, { noAck: true });
      await received;
    });
  });
  expect(await onChannel('own', publish(EXCHANGES.events.name, 'account.recovered'))).toBeNull();
  expect(await received).toMatchObject({ fields: { routingKey: 'account.recovered' } });
  expect(
    await onChannel('own', (channel) => publish('', queueOf('messaging', 'reply'), { mandatory: true })(channel)),
  ).toBeNull();
});

test('a user with the tag management and no permission sees the topology, and touches nothing', async () => {
  const { vhost, names } = users;
  const watcher = { name: `watch-${names.own}`, password: 'watch' };
  await manage('PUT', `/api/users/${watcher.name}`, { password: watcher.password, tags: 'management' });
  await manage('PUT', `/api/permissions/${vhost}/${watcher.name}`, { configure: '^$', write: '^$', read: '^$' });
  const authorization = `Basic ${Buffer.from(`${watcher.name}:${watcher.password}`).toString('base64')}`;
  const ask = async (route: string, method = 'GET', body?: object) => {
    const { origin } = new URL(testServers().managementUrl);
    const headers = { authorization, 'content-type': 'application/json' };
    return (await fetch(`${origin}/api/${route}`, { method, headers, body: body && JSON.stringify(body) })).status;
  };
  try {
    for (const list of ['exchanges', 'queues', 'bindings', 'policies', 'operator-policies']) {
      expect([list, await ask(`${list}/${vhost}`)]).toEqual([list, 200]);
    }
    const read = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };
    const policy = { pattern: '.*', definition: { 'max-length': 1 } };
    const queue = `queues/${vhost}/${PARKED.name}`;
    const refused = [
      await ask(`${queue}/get`, 'POST', read),
      await ask(`${queue}/contents`, 'DELETE'),
      await ask(queue, 'DELETE'),
      await ask(`policies/${vhost}/mine`, 'PUT', policy),
    ];
    expect(refused.filter((status) => status < 400)).toEqual([]);
  } finally {
    await manage('DELETE', `/api/users/${watcher.name}`);
  }
});

test('the definitions that are committed are the example, and let nobody in', () => {
  const committed = JSON.parse(readFileSync(path.join(DEPLOY, 'definitions.json'), 'utf8')) as ReturnType<
    typeof buildDefinitions
  >;
  const callers = [
    { kind: 'service', name: 'inviting' },
    { kind: 'operator', name: 'ops' },
    { kind: 'subscriber', name: 'dashboard' },
  ] as const;
  expect(committed).toEqual(buildDefinitions({ callers: [...callers] }));
  expect(committed.exchanges).toEqual(
    Object.values(EXCHANGES).map(({ name, type }) => expect.objectContaining({ name, type, durable: true })),
  );
  expect(committed.users.map((user) => user.password_hash)).toEqual(['', '', '', '']);
});

test('a broker starts with the files that are committed, and the account manager declares the rest', async () => {
  const given = (name: string) => readFileSync(path.join(DEPLOY, name), 'utf8');
  const { rabbitmq_version: version } = (await manage('GET', '/api/overview')) as { rabbitmq_version: string };
  // As docker-compose.yml mounts them, with the trial's passwords. The private server is asked as guest.
  const guest = {
    name: 'guest',
    password_hash: hashPassword('guest'),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
    tags: ['administrator'],
  };
  const broker = await startPrivateServer('rabbitmq', (folder) => {
    const settings = path.join(folder, 'conf.d');
    const definitions = path.join(folder, 'definitions');
    for (const made of [settings, definitions]) mkdirSync(made);
    writeFileSync(path.join(settings, '20.conf'), given('rabbitmq.conf'));
    const trial = given('../trial/rabbitmq/trial.conf').replace('/etc/rabbitmq/definitions', definitions);
    writeFileSync(path.join(settings, '30.conf'), trial);
    if (Number.parseFloat(version) >= 4.3) writeFileSync(path.join(settings, '90.conf'), given('rabbitmq-4.3.conf'));
    writeFileSync(path.join(definitions, '10.json'), given('definitions.json'));
    writeFileSync(path.join(definitions, '20.json'), given('../trial/rabbitmq/passwords.json'));
    writeFileSync(path.join(definitions, '30.json'), JSON.stringify({ users: [guest] }));
  });
  try {
    const { port } = new URL(broker.urls.RABBITMQ_URL!);
    const connection = await connect(`amqp://account-manager:account-manager@127.0.0.1:${port}/account-manager`);
    await declareTopology(connection);
    await connection.close();
    expect(await rabbitmqctl(broker, 'environment')).toContain('{queue_leader_locator,<<"balanced">>}');
  } finally {
    await broker.remove();
  }
});

test('names that would share queues are refused', () => {
  const build = (...names: string[]) =>
    buildDefinitions({ callers: names.map((name) => ({ kind: 'service' as const, name })) });
  expect(() => build('inviting', 'inviting.eu')).toThrow('inviting.eu: must not lie within inviting');
  expect(() => build('inviting', 'inviting')).toThrow('twice');
  expect(() => build('In viting')).toThrow('must be');
  expect(build('inviting', 'inviting-eu').users).toHaveLength(3);
});
