import type { Instruments } from './instruments.js';

/** Connections of the database pool: open, of which idle; and requests that wait for one. */
export interface PoolState {
  open: number;
  idle: number;
  waiting: number;
}

/** The servers that the service needs, as this instance sees them. */
export const createDependencyMetrics = (instruments: Instruments) => {
  const { counter, gauge } = instruments;
  return {
    reconnects: counter('reconnects_total', 'Connections made again after they were lost', {
      dependency: ['broker', 'redis'],
    }),
    dependencyUp: gauge('dependency_up', 'Whether a dependency can be worked with: 1 or 0', ['dependency']),
    dependencyFailures: counter(
      'dependency_failures_total',
      'Calls to a dependency that failed and that the service did without',
      { dependency: ['redis'] },
    ),
    brokerProblems: gauge('broker_problems', 'Faults at the broker that were not mended, as this instance sees them'),
    brokerRepairs: counter('broker_repairs_total', 'Repairs at the broker, by kind', {
      what: ['queue', 'consumer', 'topology'],
    }),
    brokerBlocked: gauge('broker_blocked', 'Whether the broker has blocked publishing: 1 or 0'),
    consumerUp: gauge('consumer_up', 'Whether a consumer is registered on a request queue: 1 or 0', ['queue']),
    /** Says where the state of the database pool is read at every scrape. */
    watchPool: createPoolGauges(instruments),
  };
};

const createPoolGauges = ({ scrapedGauge }: Instruments) => {
  let readPool = (): PoolState => ({ open: 0, idle: 0, waiting: 0 });
  scrapedGauge('database_pool_connections', 'Open connections of the database pool by state', ['state'], (gauge) => {
    const { open, idle } = readPool();
    gauge.set({ state: 'idle' }, idle);
    gauge.set({ state: 'used' }, open - idle);
  });
  scrapedGauge('database_pool_waiting_requests', 'Requests that wait for a database connection', [], (gauge) =>
    gauge.set(readPool().waiting),
  );
  return (read: () => PoolState): void => {
    readPool = read;
  };
};
