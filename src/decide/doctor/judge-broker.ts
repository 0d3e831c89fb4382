import { type Finding, findingsOf, judgeParked } from './finding.js';

/** Observations of RabbitMQ. */
export interface BrokerFacts {
  version: string;
  /** Each URL of `RABBITMQ_URL`, without credentials; `error` null: it takes connections. */
  urls: readonly { host: string; error: string | null }[];
  /** How many entities the contract has. */
  entities: number;
  /** Those that are not there, such as `queue account-manager.query`. */
  missing: readonly string[];
  /** Entities that differ from the contract, one sentence each. */
  differences: readonly string[];
  /** Permissions that the own user lacks, such as `configure queue account-manager.query`. */
  refused: readonly string[];
  /** Messages that are parked; null: there is no such queue. */
  parked: number | null;
  /** Null: no management API is configured. */
  management: ManagementFacts | { error: string } | null;
}

/** Facts from the management API. */
export interface ManagementFacts {
  /** Bindings and policies that differ from the contract. */
  differences: readonly string[];
  queues: readonly { name: string; members: readonly string[]; online: readonly string[] }[];
  /** Null: its user may not look at them. */
  nodes: readonly BrokerNode[] | null;
}

export interface BrokerNode {
  name: string;
  isRunning: boolean;
  memoryAlarm: boolean;
  diskAlarm: boolean;
  diskFreeBytes: number;
  diskLimitBytes: number;
  /** Nodes that it has lost touch with. */
  partitions: readonly string[];
}

const { ok, warn, fail } = findingsOf('rabbitmq');

const OLDEST_VERSION = [3, 10] as const;
/** Below twice its limit a disk is soon full. */
const DISK_RESERVE = 2;

/** Judges RabbitMQ: each finding says what is right or wrong. */
export const judgeBroker = (facts: BrokerFacts): Finding[] => [
  judgeVersion(facts),
  judgeUrls(facts),
  judgeTopology(facts),
  facts.refused.length === 0
    ? ok('permissions', 'the own user may declare, read and write what the service needs')
    : fail(
        'permissions',
        `the own user may not ${facts.refused.join(', ')}`,
        "give the user the permissions that deploy/rabbitmq has: '^account-manager\\..*' and more",
      ),
  judgeParked('rabbitmq', facts.parked),
  ...judgeManagement(facts.management),
];

function judgeVersion({ version }: BrokerFacts): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor >= OLDEST_VERSION[1]);
  return isNew ? ok('version', version) : fail('version', version, 'RabbitMQ 3.10 or newer is needed: upgrade it');
}

function judgeUrls({ urls }: BrokerFacts): Finding {
  const away = urls.filter(({ error }) => error !== null);
  if (away.length === 0) return ok('nodes', urls.map(({ host }) => host).join(', '));
  const told = away.map(({ host, error }) => `${host}: ${error ?? ''}`).join('; ');
  return warn('nodes', told, 'start them, or take them out of RABBITMQ_URL');
}

function judgeTopology({ entities, missing, differences }: BrokerFacts): Finding {
  const check = 'topology';
  if (missing.length === entities) {
    return warn(check, 'nothing is declared yet', 'start the service: it declares exchanges and queues');
  }
  if (missing.length > 0) {
    return fail(check, `missing: ${missing.join(', ')}`, 'start the service: it declares what is missing');
  }
  if (differences.length > 0) {
    const cure = 'delete these entities when they are empty; the service declares them anew';
    return fail(check, differences.join('; '), cure);
  }
  return ok(check, `${entities} exchanges and queues as in the contract`);
}

function judgeManagement(management: BrokerFacts['management']): Finding[] {
  const check = 'bindings and policies';
  if (management === null) {
    return [warn(check, 'they cannot be seen', 'set RABBITMQ_MANAGEMENT_URL: the service verifies them then, too')];
  }
  if ('error' in management) {
    const cure = 'see that RABBITMQ_MANAGEMENT_URL names the management API and a user with the tag management';
    return [fail('management API', management.error, cure)];
  }
  const { differences, queues, nodes } = management;
  return [
    differences.length === 0
      ? ok(check, 'as in the contract')
      : fail(check, differences.join('; '), 'remove what is not of the contract; the service restores what is missing'),
    judgeQuorum(queues),
    ...judgeNodes(nodes),
  ];
}

function judgeQuorum(queues: ManagementFacts['queues']): Finding {
  const check = 'quorum';
  const tell = (some: ManagementFacts['queues']): string =>
    some.map(({ name, members, online }) => `${name} (${online.length} of ${members.length} members)`).join(', ');
  const lost = queues.filter(({ members, online }) => online.length * 2 <= members.length);
  if (lost.length > 0) return fail(check, `lost: ${tell(lost)}`, 'start the nodes that are down');
  const weak = queues.filter(({ members, online }) => online.length < members.length);
  if (weak.length > 0) return warn(check, `members are down: ${tell(weak)}`, 'start the nodes that are down');
  const members = Math.min(...queues.map((queue) => queue.members.length), Number.POSITIVE_INFINITY);
  return ok(check, queues.length === 0 ? 'no queues yet' : `every queue has ${members} or more members, all online`);
}

function judgeNodes(nodes: readonly BrokerNode[] | null): Finding[] {
  // A user that may look at bindings is enough for the service.
  if (nodes === null) return [ok('alarms and disk', "not shown to this user (needs the tag 'monitoring')")];
  const gibibytes = (bytes: number): string => `${(bytes / 1_073_741_824).toFixed(1)} GiB`;
  const down = nodes.filter(({ isRunning }) => !isRunning);
  const running = nodes.filter(({ isRunning }) => isRunning);
  const alarmed = running.filter(({ memoryAlarm, diskAlarm }) => memoryAlarm || diskAlarm);
  const parted = running.filter(({ partitions }) => partitions.length > 0);
  const tight = running.filter((node) => node.diskFreeBytes < node.diskLimitBytes * DISK_RESERVE);
  const names = (some: readonly BrokerNode[]): string => some.map(({ name }) => name).join(', ');
  return [
    alarmed.length === 0
      ? ok('alarms', 'none')
      : fail(
          'alarms',
          alarmed.map(({ name, diskAlarm }) => `${name} is short of ${diskAlarm ? 'disk' : 'memory'}`).join(', '),
          'make room: until then the broker takes no publications',
        ),
    ...(down.length > 0 ? [warn('cluster', `${names(down)} not running`, 'start these nodes')] : []),
    ...(parted.length > 0
      ? [fail('cluster', `${names(parted)} lost touch with others`, 'see rabbitmq.com/docs/partitions; restart them')]
      : []),
    tight.length === 0
      ? ok('disk', running.map(({ name, diskFreeBytes }) => `${name} ${gibibytes(diskFreeBytes)} free`).join(', '))
      : warn(
          'disk',
          tight.map(({ name, diskFreeBytes }) => `${name} ${gibibytes(diskFreeBytes)} free`).join(', '),
          'make room: at its limit the broker takes no publications',
        ),
  ];
}
