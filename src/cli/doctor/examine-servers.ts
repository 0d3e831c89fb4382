import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inspectBroker } from '../../broker/inspect-broker.js';
import { type Config, ConfigError, loadConfig } from '../../config.js';
import { type Finding, findingsOf } from '../../decide/doctor/finding.js';
import { judgeBroker } from '../../decide/doctor/judge-broker.js';
import { judgeDatabase } from '../../decide/doctor/judge-database.js';
import { judgeRedis } from '../../decide/doctor/judge-redis.js';
import { inspectRedis } from '../../redis/inspect-redis.js';
import { createDatabase } from '../../store/database.js';
import { inspectDatabase, type KnownMigration } from '../../store/inspect-database.js';
import { openSessionCipher } from '../../store/sessions/session-cipher.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { readEnvironment } from '../environment.js';

const { ok, warn, fail } = findingsOf('configuration');

/** Looks at the settings of the service, and at the servers that they name. */
export async function examineServers(): Promise<Finding[]> {
  if (!readEnvironment().hasSettings) {
    return [
      warn(
        'settings',
        'none are in this environment, so PostgreSQL, Redis and RabbitMQ were not looked at',
        'run it with the environment of the service, such as inside its container',
      ),
    ];
  }
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, rule }) =>
      fail(variable, rule, 'mend it; docs/configuration.md tells each setting'),
    );
  }
  const servers = await Promise.all([
    reach('postgresql', 'DATABASE_URL', () => examineDatabase(config)),
    reach('redis', 'REDIS_URL', async () =>
      judgeRedis(await inspectRedis({ url: config.redisUrl, tls: config.clientTls })),
    ),
    reach('rabbitmq', 'RABBITMQ_URL', async () => judgeBroker(await inspectBroker(toBroker(config)))),
  ]);
  return [...judgeConfig(config), ...servers.flat()];
}

function judgeConfig({ warnings, access, failPoint, jobs }: Config): Finding[] {
  return [
    ok('settings', 'valid'),
    ...warnings.map((warning) => warn('settings', warning, 'see docs/configuration.md')),
    access === null
      ? warn('ACCESS_FILE', 'not set: callers are not told apart', 'see docs/operating.md, "Who may do what"')
      : ok('ACCESS_FILE', `${access.size} callers`),
    ...(failPoint === undefined ? [] : [fail('FAIL_POINT', 'set: the service will kill itself', 'unset it')]),
    ...(jobs.enabled ? [] : [warn('JOBS_ENABLED', 'false', 'see that another instance runs the jobs')]),
  ];
}

/** Why a server could not be looked at, in place of what is right and wrong with it. */
async function reach(where: string, variable: string, examine: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await examine();
  } catch (error) {
    const { fail: failThere } = findingsOf(where);
    const cure = `see that the server runs, and that ${variable} names it and its user`;
    return [failThere('connection', hideSecrets(tellError(error)), cure)];
  }
}

/** Several failed attempts arrive as one error without a text. */
function tellError(error: unknown): string {
  const { message, code, cause } = error as NodeJS.ErrnoException & { cause?: { originalMessage?: string } };
  const lines = (cause?.originalMessage ?? message).trim().split('\n');
  return lines.at(-1) || (code ?? 'no answer');
}

async function examineDatabase(config: Config): Promise<Finding[]> {
  const database = createDatabase({ url: config.databaseUrl, poolSize: 2, onConnectionError: () => undefined });
  try {
    const { keyIds } = openSessionCipher(config.sessionEncryptionKeys);
    return judgeDatabase(await inspectDatabase(database.reader, { known: readMigrations(), keyIds }));
  } finally {
    await database.close();
  }
}

const toBroker = ({ rabbitmqUrl, rabbitmqManagementUrl, clientTls }: Config) => ({
  url: rabbitmqUrl,
  managementUrl: rabbitmqManagementUrl,
  tls: clientTls,
});

/** The migrations of this version, from the folder beside the program. */
function readMigrations(): KnownMigration[] {
  let root = import.meta.dirname;
  while (!existsSync(path.join(root, 'prisma/migrations')) && root !== path.dirname(root)) root = path.dirname(root);
  const folder = path.join(root, 'prisma/migrations');
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map((name) => {
      const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}
