import { setTimeout as pause } from 'node:timers/promises';
import { assertPermissions } from './broker/assert-permissions.js';
import type { Connections } from './broker/connections.js';
import { moveParked } from './broker/move-parked.js';
import { TopologyMismatch } from './broker/topology.js';
import type { BrokerWatch } from './broker/watch-broker.js';
import type { Config } from './config.js';
import { judgeBrokerFault, judgeDatabaseFault } from './decide/start/judge-faults.js';
import { nameServer } from './decide/start/name-server.js';
import { StartError } from './decide/start/start-error.js';
import type { AmqpDoor } from './doors/amqp/door.js';
import type { Database } from './store/database.js';
import { assertMigrated } from './store/migrated.js';
import { assertSessionKeys } from './store/sessions/session-keys.js';
import type { Log } from './telemetry/log.js';
import { createOutageTeller, type OutageTeller } from './telemetry/outage-teller.js';

// The start waits for what may come and ends with `StartError` where waiting does not help: one sentence either way.

const RETRY_MS = 1_000;

/** Resolves when the database takes writes, has this program's tables, and no session that none of our keys opens. */
export async function reachDatabase(options: {
  database: Database;
  config: Pick<Config, 'databaseUrl'>;
  keyIds: readonly string[];
  stopping: AbortSignal;
  log: Log;
}): Promise<void> {
  const { database, config, keyIds, stopping, log } = options;
  const server = nameServer('PostgreSQL', config.databaseUrl);
  const name = decodeURIComponent(new URL(config.databaseUrl).pathname.slice(1));
  const teller = createOutageTeller({ log, what: server, meanwhile: 'trying again' });
  const hear = (error: unknown): void => {
    if (error instanceof StartError) throw new StartError(`${server}: ${error.message}`);
    const { isLasting, cause } = judgeDatabaseFault(error, name);
    if (isLasting) throw new StartError(`${server}: ${cause}`);
    teller.failed(cause);
  };
  for (;;) {
    await database.waitUntilAvailable(stopping, hear);
    try {
      const newer = await assertMigrated(database.reader);
      if (newer.length > 0) log.warn('a newer program has migrated the database; this one may not fit it', { newer });
      await assertSessionKeys(database.reader, keyIds);
      teller.back();
      return;
    } catch (error) {
      hear(error);
      await pause(RETRY_MS, undefined, { signal: stopping });
    }
  }
}

/** Resolves when the broker is connected, has the contract's topology, and the service the permissions it needs. */
export async function reachBroker(options: {
  connections: Connections;
  config: Pick<Config, 'rabbitmqUrl'>;
  watch: BrokerWatch;
  stopping: AbortSignal;
  log: Log;
}): Promise<void> {
  const { connections, config, watch, stopping, log } = options;
  const server = nameServer('RabbitMQ', config.rabbitmqUrl);
  const teller = createOutageTeller({ log, what: server, meanwhile: 'trying again' });
  for (;;) {
    await connections.open({ signal: stopping });
    try {
      await moveParked(connections.publishing, connections.user, log);
      await watch.verify();
      const link = connections.publishing.current();
      if (link === null) continue;
      await assertPermissions(link);
      teller.back();
      return;
    } catch (error) {
      hearBroker(error, server, teller);
      await pause(RETRY_MS, undefined, { signal: stopping });
    }
  }
}

/** Begins to serve the broker's requests. */
export async function serveBroker(amqp: AmqpDoor, { rabbitmqUrl }: Pick<Config, 'rabbitmqUrl'>): Promise<void> {
  try {
    await amqp.start();
  } catch (error) {
    hearBroker(error, nameServer('RabbitMQ', rabbitmqUrl));
    throw error;
  }
}

function hearBroker(error: unknown, server: string, teller?: OutageTeller): void {
  if (error instanceof StartError) throw error;
  if (error instanceof TopologyMismatch) throw new StartError(`${server}: ${error.message}`);
  const { isLasting, cause } = judgeBrokerFault(error);
  if (isLasting) throw new StartError(`${server}: ${cause}`);
  teller?.failed(cause);
}
