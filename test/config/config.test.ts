import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { SETTINGS } from '../../src/config/settings.js';
import { ConfigError, loadAccess, loadConfig } from '../../src/config.js';
import { CADENCE_RULE, parseCadence } from '../../src/decide/jobs/cadence.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';

const KEY = 'ab'.repeat(32);
const ENOUGH = {
  DATABASE_URL: 'postgresql://app:secret-1@db/accounts',
  REDIS_URL: 'redis://:secret-2@cache/3',
  RABBITMQ_URL: 'amqp://app:secret-3@broker/vhost',
  SESSION_ENCRYPTION_KEY: KEY,
};

const directory = mkdtempSync(path.join(tmpdir(), 'config-'));
const fileOf = (name: string, text: string): string => {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
};

const problemsOf = (env: NodeJS.ProcessEnv): string[] => {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('the required settings are enough, and the rest take their documented defaults', () => {
  expect(loadConfig(ENOUGH)).toEqual({
    databaseUrl: ENOUGH.DATABASE_URL,
    databasePoolSize: 8,
    redisUrl: ENOUGH.REDIS_URL,
    rabbitmqUrl: ENOUGH.RABBITMQ_URL,
    clientTls: {},
    warnings: [],
    httpHost: '127.0.0.1',
    httpPort: 3000,
    httpKeepAliveSeconds: 90,
    networkIsTrusted: false,
    limits: { policy: DEFAULT_LIMITS, countFailedAttempts: true },
    access: null,
    sessionEncryptionKeys: [KEY],
    logLevel: 'info',
    logFormat: 'json',
    instanceName: expect.stringMatching(new RegExp(`-${process.pid}$`)),
    shutdownTimeoutSeconds: 25,
    errorWindowMs: 86_400_000,
    reentry: { days: 3, share: 0.5 },
    jobs: {
      enabled: true,
      cadences: {
        'reset-daily-limits': parseCadence('0 0 * * *'),
        'process-recoveries': parseCadence('*/5 * * * *'),
        'cleanup-locks': parseCadence('7,37 * * * *'),
        'health-scan': parseCadence('3-59/15 * * * *'),
        'cleanup-rate-limits': parseCadence('11 * * * *'),
        report: parseCadence('22 */6 * * *'),
      },
      leaseSeconds: 60,
      timeoutSeconds: 600,
      alerts: { floodWaitPercent: 10, blockedPercent: 5, nearLimitsPercent: 30 },
      nearLimitPercent: 80,
      historyDays: 30,
      usageArchiveDays: 365,
    },
  });
  expect(
    SETTINGS.filter((setting) => setting.default === null)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['DATABASE_URL', 'RABBITMQ_URL', 'REDIS_URL']);
});

test('every setting can be set', () => {
  const limits = fileOf('limits.json', '{"invite": {"daily_limit": 7}, "count_failed_attempts": false}');
  const config = loadConfig({
    ...ENOUGH,
    DATABASE_POOL_SIZE: '20',
    HTTP_HOST: '0.0.0.0',
    HTTP_PORT: '0',
    NETWORK_IS_TRUSTED: 'true',
    LIMITS_FILE: limits,
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'pretty',
    INSTANCE_NAME: 'one.example',
    SHUTDOWN_TIMEOUT_SECONDS: '5',
    ERROR_WINDOW_HOURS: '2',
    REENTRY_DAYS: '0',
    REENTRY_PERCENT: '75',
    JOBS_ENABLED: 'false',
    REPORT_CADENCE: '30 4 * * 1-5',
    HEALTH_SCAN_CADENCE: '10',
    JOB_LEASE_SECONDS: '5',
    JOB_TIMEOUT_SECONDS: '30',
    ALERT_FLOOD_WAIT_PERCENT: '0',
    NEAR_LIMIT_PERCENT: '90',
    HISTORY_DAYS: '7',
    USAGE_ARCHIVE_DAYS: '1000',
  });
  expect(config).toMatchObject({
    databasePoolSize: 20,
    httpHost: '0.0.0.0',
    httpPort: 0,
    networkIsTrusted: true,
    limits: { countFailedAttempts: false, policy: { invite: { dailyLimit: 7, hourlyLimit: 5 } } },
    logLevel: 'debug',
    logFormat: 'pretty',
    instanceName: 'one.example',
    shutdownTimeoutSeconds: 5,
    errorWindowMs: 7_200_000,
    reentry: { days: 0, share: 0.75 },
    jobs: {
      enabled: false,
      cadences: { report: parseCadence('30 4 * * 1-5'), 'health-scan': parseCadence('*/10 * * * * *') },
      leaseSeconds: 5,
      timeoutSeconds: 30,
      alerts: { floodWaitPercent: 0, blockedPercent: 5, nearLimitsPercent: 30 },
      nearLimitPercent: 90,
      historyDays: 7,
      usageArchiveDays: 1000,
    },
  });
});

test('all problems are reported at once, each by variable and rule, none with a value', () => {
  const problems = problemsOf({
    DATABASE_URL: 'mysql://app:secret-1@db',
    REDIS_URL: 'redis://:secret-2@cache/three',
    RABBITMQ_URL: 'secret-3',
    SESSION_ENCRYPTION_KEY: 'secret-4',
    DATABASE_POOL_SIZE: '0',
    HTTP_PORT: '65536',
    LIMITS_FILE: '/no/such/file',
    LOG_LEVEL: 'loud',
    LOG_FORMAT: 'colourful',
    INSTANCE_NAME: 'has space',
    SHUTDOWN_TIMEOUT_SECONDS: '1.5',
    JOBS_ENABLED: 'yes',
    REPORT_CADENCE: '0 25 * * *',
  });
  expect(problems).toEqual([
    'DATABASE_URL: must be a URL that begins with postgresql:// or postgres://',
    'DATABASE_POOL_SIZE: must be a whole number from 1 to 100',
    'REDIS_URL: must have a database number as its path, or none for 0',
    'RABBITMQ_URL: must be a URL that begins with amqp:// or amqps://',
    'HTTP_PORT: must be a whole number from 0 to 65535',
    'SESSION_ENCRYPTION_KEY: must be 64 hexadecimal digits',
    'LOG_LEVEL: must be one of error, warn, info, http, verbose, debug, silly',
    'LOG_FORMAT: must be one of json, pretty',
    'INSTANCE_NAME: must be 1 to 100 letters, digits, ".", "_" or "-"',
    'SHUTDOWN_TIMEOUT_SECONDS: must be a whole number from 1 to 600',
    'JOBS_ENABLED: must be true or false',
    `REPORT_CADENCE: ${CADENCE_RULE}`,
    'LIMITS_FILE: /no/such/file cannot be read (ENOENT: there is no such file)',
  ]);
  expect(problems.join()).not.toMatch(/secret|loud|three|space/);
});

test('a database of Redis is named in the path alone', () => {
  for (const redisUrl of ['redis://cache', 'redis://cache/', 'rediss://:pw@cache:6380/12']) {
    expect(problemsOf({ ...ENOUGH, REDIS_URL: redisUrl })).toEqual([]);
  }
  for (const redisUrl of ['redis://cache/x', 'redis://cache/1/2', 'redis://cache?db=3', 'redis://cache/-1']) {
    expect(problemsOf({ ...ENOUGH, REDIS_URL: redisUrl })).toHaveLength(1);
  }
});

test('a password whose % is not encoded is told, not left to what the clients make of it', () => {
  for (const variable of ['DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL', 'RABBITMQ_MANAGEMENT_URL']) {
    const scheme = { DATABASE_URL: 'postgres', REDIS_URL: 'redis', RABBITMQ_URL: 'amqp' }[variable] ?? 'http';
    const told = (password: string) => problemsOf({ ...ENOUGH, [variable]: `${scheme}://app:${password}@host` });
    expect(told('100%safe')).toEqual([`${variable}: must have every % that stands for itself written as %25`]);
    expect(told('100%25safe')).toEqual([]);
  }
});

test('PostgreSQL and Redis have one host each', () => {
  const told = (given: Record<string, string>) => problemsOf({ ...ENOUGH, ...given });
  const rule = 'must name one host; see docs/high-availability.md for several';
  for (const hosts of ['one,two', 'one:5432,two:5433', 'app:a,b@one,two'])
    expect(told({ DATABASE_URL: `postgresql://${hosts}/db` })).toEqual([`DATABASE_URL: ${rule}`]);
  expect(told({ REDIS_URL: 'redis://one:6379,two:6379/1' })).toEqual([`REDIS_URL: ${rule}`]);
  expect(told({ REDIS_URL: 'redis-sentinel://one:26379/main' })).toEqual([
    'REDIS_URL: must be a URL that begins with redis:// or rediss://',
  ]);
  expect(told({ DATABASE_URL: 'postgresql://app:a,b@one/db?options=-c%20a,b' })).toEqual([]);
});

test('RabbitMQ and its management API may have several URLs', () => {
  const told = (given: Record<string, string>) => problemsOf({ ...ENOUGH, ...given });
  expect(told({ RABBITMQ_URL: 'amqp://app:a,b@one/v, amqp://app:c@two:5673/v' })).toEqual([]);
  expect(told({ RABBITMQ_MANAGEMENT_URL: 'http://a:b@one:15672,http://c:d@two:15672' })).toEqual([]);
  const whole = 'RABBITMQ_URL: must have whole URLs between its commas, each with its scheme';
  for (const list of [
    'amqp://app@one,two/v',
    'amqp://app@one/v,two',
    'amqp://app@one/v,',
    'amqp://app@one/v,,amqp://app@two/v',
  ]) {
    expect([list, told({ RABBITMQ_URL: list })]).toEqual([list, [whole]]);
  }
  expect(told({ RABBITMQ_URL: 'amqp://app@one/v,http://app@two/v' })).toEqual([
    'RABBITMQ_URL: must be a URL that begins with amqp:// or amqps://',
  ]);
  const same = 'RABBITMQ_URL: must name the same user and vhost in all its URLs';
  expect(told({ RABBITMQ_URL: 'amqp://app@one/v,amqp://other@two/v' })).toEqual([same]);
  expect(told({ RABBITMQ_URL: 'amqp://app@one/v,amqp://app@two/w' })).toEqual([same]);
});

test('a variable that is missing or empty must be set', () => {
  expect(problemsOf({ REDIS_URL: '' })).toEqual([
    'DATABASE_URL: must be set',
    'REDIS_URL: must be set',
    'RABBITMQ_URL: must be set',
    'SESSION_ENCRYPTION_KEY: must be set, or SESSION_ENCRYPTION_KEYS, and not both',
  ]);
});

test('a secret may come from a file, without the line end', () => {
  const { SESSION_ENCRYPTION_KEY: _, ...rest } = ENOUGH;
  const config = loadConfig({ ...rest, SESSION_ENCRYPTION_KEY_FILE: fileOf('key', `${KEY}\n`) });
  expect(config.sessionEncryptionKeys).toEqual([KEY]);
  for (const { name, secret } of SETTINGS.filter((setting) => setting.secret)) {
    expect(secret).toBe(true);
    expect(problemsOf({ [name]: 'given', ...ENOUGH, [`${name}_FILE`]: fileOf('both', 'x') })).toEqual([
      `${name}: set it or ${name}_FILE, not both`,
    ]);
    expect(problemsOf({ ...ENOUGH, [name]: '', [`${name}_FILE`]: '/no/such' })).toEqual([
      `${name}_FILE: /no/such cannot be read (ENOENT: there is no such file)`,
    ]);
  }
});

test('a limits file is judged by the rules of limits', () => {
  const limits = (text: string) => problemsOf({ ...ENOUGH, LIMITS_FILE: fileOf('wrong.json', text) });
  const file = path.join(directory, 'wrong.json');
  expect(limits('not json')).toEqual([`LIMITS_FILE: ${file} must be JSON`]);
  expect(limits('{\n"invite": {},\n}')).toEqual([`LIMITS_FILE: ${file} must be JSON (line 3)`]);
  expect(limits('{"invte": {}, "message": {"daily": 1}}')).toEqual([
    `LIMITS_FILE: in ${file}, message: "daily" is not known here; allowed are cooldown_seconds, burst_limit, ` +
      'burst_cooldown_seconds, hourly_limit, daily_limit, per_channel_daily, per_channel_total',
    `LIMITS_FILE: in ${file}: "invte" is not known here; allowed are invite, message, add_contact, join_channel, ` +
      'leave_channel, parse, count_failed_attempts',
  ]);
  expect(limits('{"invite": {"daily_limit": -1}, "message": {"hourly_limit": 1.5}}')).toEqual([
    expect.stringMatching(/^LIMITS_FILE: in \S+wrong\.json, invite\.daily_limit: /),
    expect.stringMatching(/^LIMITS_FILE: in \S+wrong\.json, message\.hourly_limit: /),
  ]);
});

test('every setting is described', () => {
  for (const { name, meaning } of SETTINGS) {
    expect(name).toMatch(/^[A-Z_]+$/);
    expect(meaning.length).toBeGreaterThan(10);
  }
});

test('a fail point names an operation, a place and maybe one request, and is refused in production', () => {
  const messageId = '0b8a4f0e-8f3b-4c55-9a0f-4f6d3c1e2a77';
  const pointOf = (text: string) => loadConfig({ ...ENOUGH, FAIL_POINT: text }).failPoint;
  expect(pointOf('account.release-all:after-commit')).toEqual({
    operation: 'account.release-all',
    point: 'after-commit',
    messageId: null,
  });
  expect(pointOf(`account.allocate:before-commit:${messageId}`)).toMatchObject({ point: 'before-commit', messageId });
  expect(problemsOf({ ...ENOUGH, FAIL_POINT: 'account.release' })).toEqual([
    expect.stringMatching(/^FAIL_POINT: must be /),
  ]);
  expect(problemsOf({ ...ENOUGH, FAIL_POINT: 'account.release:after-reply', NODE_ENV: 'production' })).toEqual([
    'FAIL_POINT: must not be set with NODE_ENV=production',
  ]);
});

test('accounts are probed where Telegram knows this service, which takes an id and its hash', () => {
  const [id, hash] = [{ TELEGRAM_API_ID: '12345' }, { TELEGRAM_API_HASH: 'ab'.repeat(16) }];
  expect(loadConfig(ENOUGH).jobs.probe).toBeUndefined();
  expect(loadConfig({ ...ENOUGH, ...id, ...hash }).jobs.probe).toMatchObject({
    apiId: 12_345,
    apiHash: 'ab'.repeat(16),
    atOnce: 3,
    timeoutMs: 15_000,
    budgetMs: 300_000,
  });
  for (const half of [id, hash]) {
    expect(problemsOf({ ...ENOUGH, ...half })).toEqual([
      'TELEGRAM_API_ID: must be set together with TELEGRAM_API_HASH, or neither',
    ]);
  }
  expect(problemsOf({ ...ENOUGH, ...id, TELEGRAM_API_HASH: 'x' })).toEqual([
    'TELEGRAM_API_HASH: must be 32 hexadecimal digits',
  ]);
});

test('the access file says who may do what, and every fault of it', () => {
  const OWN = { rabbitmqUrl: ENOUGH.RABBITMQ_URL };
  const ACCESS_FILE = fileOf('access.json', '{"services": [{"name": "inviting", "users": "*"}]}');
  expect([...(loadConfig({ ...ENOUGH, ACCESS_FILE }).access ?? [])]).toMatchObject([['inviting', { users: '*' }]]);
  expect(loadAccess(OWN, { ACCESS_FILE })).toEqual(loadConfig({ ...ENOUGH, ACCESS_FILE }).access);
  expect(loadAccess(OWN, { ACCESS_FILE: '' })).toBeNull();

  const wrong = fileOf('wrong-access.json', '{"services": [{"name": "inviting"}, {"name": "", "users": [1], "x": 1}]}');
  const problems = problemsOf({ ...ENOUGH, ACCESS_FILE: wrong });
  expect(problems).toHaveLength(3);
  expect(problems.join()).toMatch(/services\.0\.users: .*services\.1\.name: /);
  expect(problems.join()).toContain('services.1: "x" is not known here; allowed are name, role, users, ');
  expect(() => loadAccess(OWN, { ACCESS_FILE: wrong })).toThrow(ConfigError);
  // `app` is the user of RABBITMQ_URL.
  const own = fileOf('own-access.json', '{"services": [{"name": "app", "users": "*"}]}');
  expect(problemsOf({ ...ENOUGH, ACCESS_FILE: own }).join()).toMatch(/services\.0\.name: is this service's own user/);
  expect(() => loadAccess(OWN, { ACCESS_FILE: own })).toThrow(ConfigError);
  const noFile = problemsOf({ ...ENOUGH, ACCESS_FILE: path.join(directory, 'none.json') });
  expect(noFile).toEqual([
    `ACCESS_FILE: ${path.join(directory, 'none.json')} cannot be read (ENOENT: there is no such file)`,
  ]);
});

test('several keys for sessions stand in their order, each once, in place of the one', () => {
  const { SESSION_ENCRYPTION_KEY: _, ...rest } = ENOUGH;
  const other = 'cd'.repeat(32);
  const keysOf = (given: string) => loadConfig({ ...rest, SESSION_ENCRYPTION_KEYS: given }).sessionEncryptionKeys;
  expect(keysOf(`${other},${KEY}`)).toEqual([other, KEY]);
  expect(keysOf(`${other}, ${KEY}`)).toEqual([other, KEY]);
  const file = fileOf('keys', `${KEY}\n${other}\n`);
  expect(loadConfig({ ...rest, SESSION_ENCRYPTION_KEYS_FILE: file }).sessionEncryptionKeys).toEqual([KEY, other]);
  const refused = (given: string, env: NodeJS.ProcessEnv = rest) =>
    problemsOf({ ...env, SESSION_ENCRYPTION_KEYS: given });
  const shape = 'SESSION_ENCRYPTION_KEYS: must be keys of 64 hexadecimal digits, separated by commas';
  expect(refused(`${other},secret`)).toEqual([shape]);
  expect(refused(`${other},`)).toEqual([shape]);
  expect(refused(`${other},${other.toUpperCase()}`)).toEqual(['SESSION_ENCRYPTION_KEYS: must not name a key twice']);
  expect(refused(other, ENOUGH)).toEqual([
    'SESSION_ENCRYPTION_KEY: must be set, or SESSION_ENCRYPTION_KEYS, and not both',
  ]);
});
