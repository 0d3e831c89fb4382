import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../src/decide/doctor/finding.js';
import {
  type BrokerFacts,
  type BrokerNode,
  judgeBroker,
  type ManagementFacts,
} from '../../src/decide/doctor/judge-broker.js';
import { type DatabaseFacts, judgeDatabase } from '../../src/decide/doctor/judge-database.js';
import { judgeRedis, type RedisFacts } from '../../src/decide/doctor/judge-redis.js';
import { judgeService, type ServiceFacts } from '../../src/decide/doctor/judge-service.js';

/** The findings that are not ok, as `state check`. */
const faultsOf = (findings: readonly Finding[]): string[] =>
  findings.filter(({ state }) => state !== 'ok').map(({ state, check }) => `${state} ${check}`);

const database: DatabaseFacts = {
  version: 160_004,
  isReadOnly: false,
  encoding: 'UTF8',
  clockSkewMs: 12,
  settings: new Map([
    ['autovacuum', 'on'],
    ['track_counts', 'on'],
    ['fsync', 'on'],
    ['full_page_writes', 'on'],
    ['synchronous_commit', 'on'],
    ['max_connections', '100'],
  ]),
  connections: 12,
  migrations: { missing: [], failed: [], changed: [], foreign: [] },
  bloated: [],
  withoutVacuum: [],
  transactionAge: 1_000,
  oldestTransactionSeconds: 0,
  missingRights: [],
  outbox: { pending: 0, oldestAgeSeconds: 0 },
  sessionKeys: [{ keyId: 'a1', state: 'current', sessions: 3, inUse: 3 }],
};
const none = database.migrations;
const withSetting = (name: string, value: string) => ({ settings: new Map([...database.settings, [name, value]]) });

describe('PostgreSQL', () => {
  test('a sound one is sound', () => expect(faultsOf(judgeDatabase(database))).toEqual([]));

  test.each<[string[], Partial<DatabaseFacts>]>([
    [['fail version'], { version: 140_011 }],
    [['fail writes'], { isReadOnly: true }],
    [['fail encoding'], { encoding: 'LATIN1' }],
    [['fail migrations'], { migrations: { ...none, missing: ['2026_a'] } }],
    [['fail migrations'], { migrations: { ...none, failed: ['2026_a'] } }],
    [['fail migrations'], { migrations: { ...none, changed: ['2026_a'] } }],
    [['warn migrations'], { migrations: { ...none, foreign: ['2027_b'] } }],
    [['warn clock'], { clockSkewMs: -2_500 }],
    [['fail clock'], { clockSkewMs: 61_000 }],
    [['fail autovacuum'], withSetting('autovacuum', 'off')],
    [['fail autovacuum'], withSetting('track_counts', 'off')],
    [['fail autovacuum'], { withoutVacuum: ['leases'] }],
    [['warn autovacuum'], { bloated: [{ table: 'leases', dead: 200_000, live: 10 }] }],
    [['warn durability'], withSetting('fsync', 'off')],
    [['warn synchronous_commit'], withSetting('synchronous_commit', 'off')],
    [['warn connections'], { connections: 81 }],
    [['warn transactions'], { transactionAge: 1_500_000_000 }],
    [['warn transactions'], { oldestTransactionSeconds: 301 }],
    [['fail rights'], { missingRights: ['INSERT on events'] }],
    [['fail outbox'], { outbox: { pending: 5, oldestAgeSeconds: 61 } }],
    [['fail session keys'], { sessionKeys: [{ keyId: 'b2', state: 'unknown', sessions: 2, inUse: 1 }] }],
    [['warn session keys'], { sessionKeys: [{ keyId: 'b2', state: 'unknown', sessions: 2, inUse: 0 }] }],
    [[], { sessionKeys: [{ keyId: 'b2', state: 'old', sessions: 2, inUse: 2 }] }],
  ])('%j: %j', (faults, facts) => expect(faultsOf(judgeDatabase({ ...database, ...facts }))).toEqual(faults));
});

const redis: RedisFacts = {
  version: '7.2.4',
  mode: 'standalone',
  role: 'master',
  evictionPolicy: 'noeviction',
  usedBytes: 1_000,
  maxBytes: 0,
  clockSkewMs: 0,
  latencyMs: 0.4,
  databases: [1, 2, 3, 4].map((number) => ({ number, purpose: 'locks', isThere: true, foreignKeys: [] })),
};

describe('Redis', () => {
  test('a sound one is sound', () => expect(faultsOf(judgeRedis(redis))).toEqual([]));

  test.each<[string[], Partial<RedisFacts>]>([
    [['fail kind'], { mode: 'cluster' }],
    [['fail kind'], { role: 'slave' }],
    [['fail databases'], { databases: redis.databases.map((one) => ({ ...one, isThere: one.number < 4 })) }],
    [['warn databases'], { databases: redis.databases.map((one) => ({ ...one, foreignKeys: ['cart:7'] })) }],
    [['warn eviction policy'], { evictionPolicy: 'allkeys-lru' }],
    [['warn memory'], { usedBytes: 95, maxBytes: 100 }],
    [['warn latency'], { latencyMs: 200 }],
    [['fail clock'], { clockSkewMs: -90_000 }],
  ])('%j: %j', (faults, facts) => expect(faultsOf(judgeRedis({ ...redis, ...facts }))).toEqual(faults));
});

const node: BrokerNode = {
  name: 'rabbit@a',
  isRunning: true,
  memoryAlarm: false,
  diskAlarm: false,
  diskFreeBytes: 10_000,
  diskLimitBytes: 50,
  partitions: [],
};
const queue = { name: 'account-manager.query', members: ['a', 'b', 'c'], online: ['a', 'b', 'c'] };
const management: ManagementFacts = { differences: [], queues: [queue], nodes: [node] };
const broker: BrokerFacts = {
  version: '3.13.7',
  urls: [{ host: 'one:5672', error: null }],
  entities: 16,
  missing: [],
  differences: [],
  refused: [],
  parked: 0,
  management,
};
const seen = (own: Partial<ManagementFacts>) => ({ management: { ...management, ...own } });

describe('RabbitMQ', () => {
  test('a sound one is sound', () => expect(faultsOf(judgeBroker(broker))).toEqual([]));

  test.each<[string[], Partial<BrokerFacts>]>([
    [['fail version'], { version: '3.9.29' }],
    [[], { version: '4.3.0' }],
    [['warn nodes'], { urls: [...broker.urls, { host: 'two:5672', error: 'ECONNREFUSED' }] }],
    [['warn topology'], { missing: Array.from({ length: 16 }, () => 'queue') }],
    [['fail topology'], { missing: ['queue account-manager.query'] }],
    [['fail topology'], { differences: ["inequivalent arg 'x-overflow'"] }],
    [['fail permissions'], { refused: ['configure queue account-manager.query'] }],
    [['warn parked messages'], { parked: 1 }],
    [['fail parked messages'], { parked: 1_000 }],
    [[], { parked: null }],
    [['warn bindings and policies'], { management: null }],
    [['fail management API'], { management: { error: 'answered 401' } }],
    [['fail bindings and policies'], seen({ differences: ['policy x sets max-length'] })],
    [['fail quorum'], seen({ queues: [{ ...queue, online: ['a'] }] })],
    [['warn quorum'], seen({ queues: [{ ...queue, online: ['a', 'b'] }] })],
    [['fail alarms'], seen({ nodes: [{ ...node, memoryAlarm: true }] })],
    [['fail alarms', 'warn disk'], seen({ nodes: [{ ...node, diskAlarm: true, diskFreeBytes: 40 }] })],
    [['warn cluster'], seen({ nodes: [node, { ...node, isRunning: false }] })],
    [['fail cluster'], seen({ nodes: [{ ...node, partitions: ['rabbit@b'] }] })],
    [['warn disk'], seen({ nodes: [{ ...node, diskFreeBytes: 90 }] })],
    [[], { management: { ...management, nodes: null } }],
  ])('%j: %j', (faults, facts) => expect(faultsOf(judgeBroker({ ...broker, ...facts }))).toEqual(faults));
});

const status = { identity: 'on', network_is_trusted: false } as ServiceFacts['status'];
const job = { job: 'report', overdue: false, runs: [] } as unknown as Exclude<ServiceFacts['jobs'], string>[number];
const service: ServiceFacts = {
  url: 'http://127.0.0.1:3000',
  readiness: { ready: true, checks: { database: { ok: true }, outbox: { ok: true, detail: 'oldest event 0 s' } } },
  clockSkewMs: -900,
  status,
  jobs: [job],
  alerts: [],
  parked: null,
};

describe('the service', () => {
  test('a sound one is sound', () => expect(faultsOf(judgeService(service))).toEqual([]));

  test.each<[string[], Partial<ServiceFacts>]>([
    [['fail answers'], { readiness: null }],
    [['fail broker'], { readiness: { ready: false, checks: { broker: { ok: false, detail: 'blocked' } } } }],
    [['warn clock'], { clockSkewMs: 4_000 }],
    [['warn identity'], { status: { ...(status as object), identity: 'off' } as ServiceFacts['status'] }],
    [['warn identity'], { status: 'FORBIDDEN: …' }],
    [['fail jobs'], { jobs: [{ ...job, overdue: true }] }],
    [['warn jobs'], { jobs: [{ ...job, runs: [{ state: 'failed' }] } as unknown as typeof job] }],
    [['warn alerts'], { alerts: [{ severity: 'critical', alert: 'blocked_share' }] as ServiceFacts['alerts'] }],
    [['warn parked messages'], { parked: 3 }],
    [['warn parked messages'], { parked: 'FORBIDDEN: …' }],
    [[], { parked: 0 }],
    [[], { alerts: [{ severity: 'info', alert: 'near_limits' }] as ServiceFacts['alerts'] }],
  ])('%j: %j', (faults, facts) => expect(faultsOf(judgeService({ ...service, ...facts }))).toEqual(faults));
});

test('whatever is not ok has a cure, and what is ok has none', () => {
  const findings = [
    ...judgeDatabase({ ...database, version: 1, isReadOnly: true, ...withSetting('fsync', 'off') }),
    ...judgeRedis({ ...redis, mode: 'cluster', latencyMs: 1_000 }),
    ...judgeBroker({ ...broker, refused: ['x'], parked: 7, management: null }),
    ...judgeService({ ...service, jobs: 'FORBIDDEN', status: 'FORBIDDEN' }),
  ];
  for (const { state, cure } of findings) expect(cure === null).toBe(state === 'ok');
});
