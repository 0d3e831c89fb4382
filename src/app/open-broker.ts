import { createConnections } from '../broker/connections.js';
import { createManagement } from '../broker/management.js';
import { createOutboxRelay } from '../broker/outbox-relay.js';
import { createPublisher } from '../broker/publish.js';
import { declareEvents } from '../broker/topology.js';
import { watchBroker } from '../broker/watch-broker.js';
import { createAmqpDoor } from '../doors/amqp/door.js';
import { createParkedDesk } from '../doors/amqp/parked.js';
import { tellOfBroker } from '../store/history/tell-of-broker.js';
import { afterTheFirst, type Base } from './base.js';
import type { Stores } from './open-stores.js';
import type { Requests } from './take-requests.js';

/** The door for messages, the relay of events, and the watch over RabbitMQ. */
export function openBroker(
  base: Base,
  { database, recentEvents }: Stores,
  { dispatch, gate, reach }: Pick<Requests, 'dispatch' | 'gate' | 'reach'>,
) {
  const { config, log, metrics } = base;
  const countReconnect = () => metrics.reconnects.inc({ dependency: 'broker' });
  const reconnected = { consumer: afterTheFirst(countReconnect), publisher: afterTheFirst(countReconnect) };
  const connections = createConnections({
    url: config.rabbitmqUrl,
    tls: config.clientTls,
    instance: config.instanceName,
    log,
    observe: { connected: (name) => reconnected[name]() },
  });
  const amqp = createAmqpDoor({
    connections,
    dispatch,
    gate,
    waitUntilAvailable: database.waitUntilAvailable,
    log,
    reach,
    observe: {
      consumer: (queue, registered) => metrics.consumerUp.set({ queue }, registered ? 1 : 0),
      parked: (code) => metrics.parked.inc({ code }),
      notParked: (code) => metrics.notParked.inc({ code }),
      retried: (step) => metrics.retried.inc({ step }),
      replyLost: () => metrics.repliesLost.inc(),
    },
  });
  const { consuming, publishing } = connections;
  const parkedDesk = createParkedDesk({ connection: consuming, ownUser: connections.user, gate, dispatch, log });
  let isStarting = true;
  const events = createPublisher({
    connection: publishing,
    name: 'events',
    declare: declareEvents,
    // The start itself tells of faults at the broker.
    onFailed: () => isStarting,
    log,
  });
  const publishers = () => ({ events: events.isReady(), ...amqp.publishers() });
  return {
    connections,
    amqp,
    parkedDesk,
    events,
    relay: relayOf(base, recentEvents, events),
    watch: watchOf(base, { connections, amqp, publishers, database }),
    hasStarted: () => {
      isStarting = false;
    },
  };
}

const relayOf = (
  { config, log, metrics }: Base,
  recentEvents: Stores['recentEvents'],
  publisher: ReturnType<typeof createPublisher>,
) =>
  createOutboxRelay({
    databaseUrl: config.databaseUrl,
    publisher,
    recentEvents,
    log,
    observe: {
      published: (rows) => {
        for (const { type } of rows) metrics.eventsPublished.inc({ type });
      },
      failed: () => metrics.publishFailures.inc(),
    },
  });

interface Watched {
  connections: ReturnType<typeof createConnections>;
  amqp: ReturnType<typeof createAmqpDoor>;
  publishers: () => Readonly<Record<string, boolean>>;
  database: Stores['database'];
}

const watchOf = ({ config, log, metrics }: Base, { connections, amqp, publishers, database }: Watched) =>
  watchBroker({
    connections,
    management:
      config.rabbitmqManagementUrl === undefined
        ? null
        : createManagement({
            url: config.rabbitmqManagementUrl,
            rabbitmqUrl: config.rabbitmqUrl,
            tls: config.clientTls,
          }),
    consumers: amqp.consumers,
    publishers,
    doorProblems: amqp.problems,
    alarm: (problems) => tellOfBroker(database, config.instanceName, problems),
    log,
    observe: {
      waiting: (queue, messages) => metrics.queueMessages.set({ queue }, messages),
      stuck: (queue, messages) => metrics.stuckDeadLetters.set({ queue }, messages),
      problems: (count) => metrics.brokerProblems.set(count),
      repaired: (what) => metrics.brokerRepairs.inc({ what }),
    },
  });
