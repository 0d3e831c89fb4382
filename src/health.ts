import type { Connections } from './broker/connections.js';
import type { OutboxRelay } from './broker/outbox-relay.js';
import type { BrokerWatch } from './broker/watch-broker.js';
import { clock } from './clock.js';
import { rateFleet, shareOfHealthy } from './decide/condition/rate-fleet.js';
import { countAll } from './decide/jobs/judge-shares.js';
import type { AmqpDoor } from './doors/amqp/door.js';
import type { DetailedHealth, Readiness } from './doors/http/health.js';
import type { Access } from './requests/access.js';
import type { RedisConnection } from './redis/connection.js';
import type { Database } from './store/database.js';
import { type FleetSnapshot, loadFleetSnapshot, loadOutboxState } from './store/fleet/fleet-state.js';
import type { Metrics } from './telemetry/metrics.js';

/** An event older than this says that nobody publishes. */
const OUTBOX_MAX_AGE_SECONDS = 60;
/** A dependency that has not answered by then counts as away. */
const CHECK_TIMEOUT_MS = 2_000;
/** Probes, consoles and scrapers that ask within this time are told the same. */
const PROBE_TOLD_MS = 1_000;

type Check = { ok: boolean; detail?: string; latency_ms?: number };

export interface HealthOptions {
  access: Pick<Access, 'policy'>;
  database: Database;
  connections: Connections;
  amqp: AmqpDoor;
  relay: OutboxRelay;
  watch: Pick<BrokerWatch, 'problems'>;
  redis: RedisConnection;
  metrics: Metrics;
}

/** The state of this instance, and of its dependencies. */
export function createHealth({ access, database, connections, amqp, relay, watch, redis, metrics }: HealthOptions) {
  /** Each dependency's state and latency; Redis is not needed to be ready. */
  const dependencies = shareFor(PROBE_TOLD_MS, () => probe());

  async function probe(): Promise<Record<'database' | 'broker' | 'redis', Check>> {
    const [databaseCheck, brokerCheck, redisCheck] = await Promise.all([
      timed(database.probe),
      askBroker(),
      timed(async () => {
        if ((await redis.attempt((client) => client.ping())) === null) throw new Error('no answer');
      }),
    ]);
    const checks = { database: databaseCheck, broker: brokerCheck, redis: redisCheck };
    for (const [dependency, { ok }] of Object.entries(checks)) metrics.dependencyUp.set({ dependency }, ok ? 1 : 0);
    metrics.brokerBlocked.set(connections.state().publishing.blocked ? 1 : 0);
    return checks;
  }

  /** One that takes no publications is of no use, however fast it answers: no reply and no event could leave. */
  async function askBroker(): Promise<Check> {
    const { consuming, publishing } = connections.state();
    if (!consuming.connected || !publishing.connected) return { ok: false, detail: 'no connection' };
    if (publishing.blocked) return { ok: false, detail: 'the broker has blocked publishing' };
    return timed(() => connections.consuming.ask());
  }

  async function readiness(): Promise<Readiness> {
    const { database: databaseCheck, broker } = await dependencies();
    const missing = Object.entries(amqp.state().consumers).flatMap(([queue, registered]) => (registered ? [] : queue));
    const problems = watch.problems();
    const checks = {
      database: databaseCheck,
      broker,
      consumers: {
        ok: missing.length === 0,
        ...(missing.length > 0 && { detail: `not registered: ${missing.join(', ')}` }),
      },
      topology: { ok: problems.length === 0, ...(problems.length > 0 && { detail: problems.join('; ') }) },
      outbox: databaseCheck.ok ? await outbox() : { ok: false, detail: 'the database is away' },
    };
    return { ready: Object.values(checks).every(({ ok }) => ok), checks };
  }

  async function outbox(): Promise<Check> {
    const { oldestAgeSeconds } = await loadOutboxState(database.reader);
    const detail = `oldest event ${Math.round(oldestAgeSeconds)} s, relay ${relay.state()}`;
    return { ok: oldestAgeSeconds < OUTBOX_MAX_AGE_SECONDS, detail };
  }

  /** The predecessor's form: the state of the fleet, and of each dependency. */
  async function detailed(): Promise<DetailedHealth> {
    const [states, fleet] = await Promise.all([dependencies(), loadFleetSnapshot(database.reader).catch(() => null)]);
    const status = fleet === null ? 'unhealthy' : rateFleet(fleet.healthy, countAll(fleet.byStatus));
    return {
      status: Object.values(states).every(({ ok }) => ok) ? status : worse(status, 'degraded'),
      identity: access.policy() === null ? 'off' : 'on',
      components: {
        account_manager: { status, stats: fleet === null ? null : describeFleet(fleet) },
        ...Object.fromEntries(
          Object.entries(states).map(([name, { ok, ...check }]) => [
            name,
            { status: ok ? 'healthy' : 'unhealthy', ...check },
          ]),
        ),
      },
    };
  }

  return { dependencies, readiness, detailed };
}

/** Reads at most once in `toldMs`, for all who ask. */
function shareFor<T>(toldMs: number, read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | null = null;
  let startedAt = 0;
  return () => {
    const now = clock.monotonicMs();
    if (reading === null || now - startedAt >= toldMs) {
      startedAt = now;
      reading = read();
    }
    return reading;
  };
}

type Status = DetailedHealth['status'];
const STATUSES: readonly Status[] = ['healthy', 'degraded', 'unhealthy'];
const worse = (a: Status, b: Status): Status => (STATUSES.indexOf(a) > STATUSES.indexOf(b) ? a : b);

const describeFleet = ({ healthy, byStatus, highErrorCount, leasesByService, recoveriesDue }: FleetSnapshot) => ({
  total_accounts: countAll(byStatus),
  healthy_accounts: healthy,
  health_percentage: Math.round(shareOfHealthy(healthy, countAll(byStatus)) * 1000) / 10,
  recovery_queue_size: recoveriesDue,
  flood_wait_active: byStatus.flood_wait,
  blocked_active: byStatus.blocked,
  high_error_count: highErrorCount,
  leases: [...leasesByService.values()].reduce((sum, leases) => sum + leases, 0),
});

/** Runs a check against the clock. Errors are told by name only: their texts may carry addresses. */
async function timed(check: () => Promise<void>): Promise<Check> {
  const startedAt = clock.monotonicMs();
  let timer: NodeJS.Timeout | undefined;
  const timeOut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeOut]);
    return { ok: true, latency_ms: Math.round((clock.monotonicMs() - startedAt) * 10) / 10 };
  } catch {
    return { ok: false, detail: 'no answer' };
  } finally {
    clearTimeout(timer);
  }
}
