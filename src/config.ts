import { z } from 'zod';
import type { JobName } from '../contracts/jobs.js';
import type { AccessPolicy } from './decide/access/access-policy.js';
import type { Cadence } from './decide/jobs/cadence.js';
import type { AlertThresholds } from './decide/jobs/judge-fleet.js';
import type { Reentry } from './decide/limits/reentry.js';
import { firstUrl, splitUrls } from './decide/messages/split-urls.js';
import { ConfigError, type ConfigProblem } from './config/config-error.js';
import { type Limits, loadLimits, readAccess, readText } from './config/files.js';
import { cadence, file, sessionKey, sessionKeys, urlOfOne, urls, wholeNumber } from './config/rules.js';
import { readTls, type Tls } from './config/tls.js';
import { FAIL_POINT, toConfig } from './config/to-config.js';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from './telemetry/log.js';

export { ConfigError } from './config/config-error.js';

/** Settings of the service, read at start; immutable from then on. */
export interface Config extends Tls {
  /** Connections to PostgreSQL that requests share. */
  databasePoolSize: number;
  /** Names database N; the service uses N+1 to N+4. */
  redisUrl: string;
  /** One URL or several, separated by commas, all of one user and vhost, which is the path. */
  rabbitmqUrl: string;
  /** One URL or several. Absent: bindings and policies of the broker cannot be seen. */
  rabbitmqManagementUrl?: string;
  /** Without `access` only an address of this machine is listened on, unless the network is trusted. */
  httpHost: string;
  /** Whether HTTP may listen on other addresses without `access`. */
  networkIsTrusted: boolean;
  /** 0: any free port. */
  httpPort: number;
  /** How long the HTTP door keeps an idle connection. */
  httpKeepAliveSeconds: number;
  limits: Limits;
  /** Rights of the callers; null: callers are not told apart. */
  access: AccessPolicy | null;
  /** 64 hexadecimal digits each; the first seals, all open. */
  sessionEncryptionKeys: readonly string[];
  logLevel: LogLevel;
  logFormat: LogFormat;
  instanceName: string;
  shutdownTimeoutSeconds: number;
  reentry: Reentry;
  /** How long an error counts against its account. */
  errorWindowMs: number;
  jobs: JobsConfig;
  /** For tests: the request that ends this process, and where. */
  failPoint?: { operation: string; point: 'before-commit' | 'after-commit' | 'after-reply'; messageId: string | null };
}

/** How the background jobs work. */
export interface JobsConfig {
  /** Whether this instance runs any; the others do then. */
  enabled: boolean;
  cadences: Readonly<Record<JobName, Cadence>>;
  /** A run whose worker has not been heard of for so long is taken over. */
  leaseSeconds: number;
  /** A run that takes longer is stopped and tried again. */
  timeoutSeconds: number;
  alerts: AlertThresholds;
  /** Share of a daily limit from which on an account is near it, per cent. */
  nearLimitPercent: number;
  /** How long events, counted actions, ended leases, job runs, reports and resolved alerts are kept. */
  historyDays: number;
  /** How long each account's usage by day is kept. */
  usageArchiveDays: number;
  /** How idle accounts are tried on Telegram; absent: not at all. */
  probe?: {
    apiId: number;
    apiHash: string;
    atOnce: number;
    timeoutMs: number;
    jitterMs: number;
    budgetMs: number;
  };
}

/** One environment variable, as the documents list it. */
export interface Setting {
  name: string;
  meaning: string;
  /** The default; null: it must be set. */
  default: string | null;
  /** Never shown; may be given as the path of a file in `<name>_FILE` instead. */
  secret: boolean;
}

/** A `db` in the query string would win over every database the service selects. */
const namesRedisDatabase = ({ pathname, searchParams }: URL): boolean =>
  /^\/?\d{0,4}$/.test(pathname) && !searchParams.has('db');

/** The identity of the service does not depend on the node that it is connected to. */
const areOfOneBroker = (list: string): boolean =>
  new Set(splitUrls(list).map((one) => `${userOf(one)} ${new URL(one).pathname.replace(/^\/$/, '')}`)).size === 1;

const environment = z.object({
  DATABASE_URL: urlOfOne('postgresql', 'postgres').meta({
    secret: true,
    meaning: 'PostgreSQL: accounts, leases, limits',
  }),
  DATABASE_POOL_SIZE: wholeNumber(1, 100)
    .prefault('8')
    .meta({ meaning: 'Connections to PostgreSQL that requests share' }),
  REDIS_URL: urlOfOne('redis', 'rediss')
    .refine((given) => namesRedisDatabase(new URL(given)), 'must have a database number as its path, or none for 0')
    // It would win over the certificates of the settings.
    .refine((given) => !new URL(given).searchParams.has('tls'), 'must say TLS by rediss://, not by tls')
    .meta({ secret: true, meaning: 'Redis, database N: N+1 to N+4 are used, for what may be lost' }),
  RABBITMQ_URL: urls('amqp', 'amqps').refine(areOfOneBroker, 'must name the same user and vhost in all its URLs').meta({
    secret: true,
    meaning: 'RabbitMQ, its vhost being the path; of a cluster the URLs of several nodes, separated by commas',
  }),
  RABBITMQ_MANAGEMENT_URL: urls('http', 'https').optional().meta({
    secret: true,
    meaning:
      "RabbitMQ's management API (a user tagged management), one URL or several: bindings and policies are verified through it",
    defaultText: 'they are not verified',
  }),
  HTTP_HOST: z.string().prefault('127.0.0.1').meta({ meaning: 'Address the HTTP door listens on' }),
  HTTP_PORT: wholeNumber(0, 65_535).prefault('3000').meta({ meaning: 'Port of the HTTP door; 0: any free one' }),
  HTTP_KEEP_ALIVE_SECONDS: wholeNumber(1, 3_600).prefault('90').meta({
    meaning:
      'How long the HTTP door keeps an idle connection; longer than the balancer before it, whose next request would meet a closed one',
  }),
  TLS_CA_FILE: file(
    'Authorities (PEM) that certificates of PostgreSQL, Redis and RabbitMQ must come from',
    'the public ones',
  ),
  TLS_CLIENT_CERT_FILE: file('Certificate (PEM) that this service shows to them', 'none'),
  TLS_CLIENT_KEY_FILE: file('Key (PEM) that belongs to it', 'none'),
  HTTP_TLS_CERT_FILE: file('Certificate (PEM) of the HTTP door, which then speaks HTTPS only', 'plain HTTP'),
  HTTP_TLS_KEY_FILE: file('Key (PEM) that belongs to it', 'plain HTTP'),
  LIMITS_FILE: z.string().optional().meta({
    meaning: 'JSON file of limits by action that differ from the defaults',
    defaultText: 'the default limits',
  }),
  ACCESS_FILE: z.string().optional().meta({
    meaning: 'JSON file of the callers and their rights; read again on SIGHUP',
    defaultText: 'callers are not told apart, and HTTP listens on this machine only',
  }),
  NETWORK_IS_TRUSTED: z.enum(['true', 'false'], 'must be true or false').prefault('false').meta({
    meaning:
      'true: without ACCESS_FILE, HTTP listens on HTTP_HOST too, and everybody who reaches it may do everything; only for a network that nobody else reaches',
  }),
  SESSION_ENCRYPTION_KEY: sessionKey.optional().meta({
    secret: true,
    meaning: 'Key that seals session data in the database: 64 hexadecimal digits',
    defaultText: 'must be set, or SESSION_ENCRYPTION_KEYS',
  }),
  SESSION_ENCRYPTION_KEYS: sessionKeys.optional().meta({
    secret: true,
    meaning: 'Several such keys, separated by commas: the first seals, all open what they have sealed',
    defaultText: 'the one of SESSION_ENCRYPTION_KEY',
  }),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)
    .prefault('info')
    .meta({
      meaning: 'Least severe log lines to write; can be changed while running',
    }),
  LOG_FORMAT: z
    .enum(LOG_FORMATS, `must be one of ${LOG_FORMATS.join(', ')}`)
    .prefault('json')
    .meta({ meaning: 'json: an object a line, for programs; pretty: a sentence a line, for people' }),
  INSTANCE_NAME: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, ".", "_" or "-"')
    .optional()
    .meta({
      meaning: 'Name of this process in logs and at the broker; must differ between instances',
      defaultText: 'host name and process id',
    }),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 600).prefault('25').meta({
    meaning: 'How long work under way may take to finish after SIGTERM',
  }),
  ERROR_WINDOW_HOURS: wholeNumber(1, 8_760).prefault('24').meta({
    meaning:
      "How long a reported error counts in its account's error count; a lease that ends well takes one off sooner",
  }),
  REENTRY_DAYS: wholeNumber(0, 30).prefault('3').meta({
    meaning: 'Days (UTC) with reduced daily limits after a block has ended, the day of its end included; 0: none',
  }),
  REENTRY_PERCENT: wholeNumber(1, 100)
    .prefault('50')
    .meta({ meaning: 'The share of each daily limit that is left on these days' }),
  JOBS_ENABLED: z
    .enum(['true', 'false'], 'must be true or false')
    .prefault('true')
    .meta({ meaning: 'Whether this instance runs background jobs; false: other instances do' }),
  // They do not all begin in one minute: each takes a moment of a processor.
  RESET_DAILY_LIMITS_CADENCE: cadence('0 0 * * *', 'When the daily reset is announced and the usage archived'),
  PROCESS_RECOVERIES_CADENCE: cadence('300', 'When waits that are over are ended, beside ending them at their instant'),
  CLEANUP_LOCKS_CADENCE: cadence('7,37 * * * *', 'When leases that are over are closed and locks brought in line'),
  HEALTH_SCAN_CADENCE: cadence('3-59/15 * * * *', 'When the fleet is searched for trouble'),
  CLEANUP_RATE_LIMITS_CADENCE: cadence('11 * * * *', 'When old rows and stale copies of usage windows are removed'),
  REPORT_CADENCE: cadence('22 */6 * * *', 'When the state of the fleet is reported'),
  JOB_LEASE_SECONDS: wholeNumber(2, 3600).prefault('60').meta({
    meaning: 'A job whose worker has not been heard of for so long is taken over by another',
  }),
  JOB_TIMEOUT_SECONDS: wholeNumber(1, 86_400).prefault('600').meta({
    meaning: 'A job that takes longer is stopped and tried again',
  }),
  ALERT_FLOOD_WAIT_PERCENT: wholeNumber(0, 100).prefault('10').meta({
    meaning: 'A larger part of the fleet in flood waits raises a warning',
  }),
  ALERT_BLOCKED_PERCENT: wholeNumber(0, 100).prefault('5').meta({
    meaning: 'A larger part of the fleet blocked raises a critical alert',
  }),
  ALERT_NEAR_LIMITS_PERCENT: wholeNumber(0, 100).prefault('30').meta({
    meaning: 'A larger part of the fleet near its daily limits raises an info',
  }),
  NEAR_LIMIT_PERCENT: wholeNumber(1, 100).prefault('80').meta({
    meaning: 'An account that has used this much of a daily limit is near it',
  }),
  HISTORY_DAYS: wholeNumber(2, 3650).prefault('30').meta({
    meaning:
      'How long events, counted actions, error reports, ended leases, job runs, reports and resolved alerts are kept',
  }),
  USAGE_ARCHIVE_DAYS: wholeNumber(2, 3650).prefault('365').meta({
    meaning: "How long each account's usage by day is kept",
  }),
  TELEGRAM_API_ID: wholeNumber(1, 999_999_999).optional().meta({
    meaning: "This service's API id at Telegram: with the hash, idle accounts are tried there in the health scan",
    defaultText: 'no accounts are tried',
  }),
  TELEGRAM_API_HASH: z
    .string()
    .regex(/^[0-9a-f]{32}$/i, 'must be 32 hexadecimal digits')
    .optional()
    .meta({ secret: true, meaning: 'The hash that belongs to the API id', defaultText: 'no accounts are tried' }),
  TELEGRAM_PROBES_AT_ONCE: wholeNumber(1, 50).prefault('3').meta({
    meaning: 'Accounts tried at the same time; each at most every six hours',
  }),
  TELEGRAM_PROBE_TIMEOUT_SECONDS: wholeNumber(1, 120).prefault('15').meta({
    meaning: 'Telegram counts as unreachable after so long',
  }),
  FAIL_POINT: z
    .string()
    .regex(
      FAIL_POINT,
      'must be <operation>:<before-commit, after-commit or after-reply>, with :<message id> or without',
    )
    .optional()
    .meta({
      meaning: 'For tests only: the request at which this process kills itself; refused with NODE_ENV=production',
      defaultText: 'none',
    }),
});

/** The variables as they were given, each by its rule. */
export type Given = z.output<typeof environment>;

/** Every variable the service reads, in the order of the documents. */
export const SETTINGS: readonly Setting[] = Object.entries(environment.shape).map(([name, schema]) => {
  const { meaning, defaultText, secret } = schema.meta() ?? {};
  const fallback = schema instanceof z.ZodPrefault ? schema.def.defaultValue : defaultText;
  return {
    name,
    meaning: String(meaning),
    default: typeof fallback === 'string' ? fallback : null,
    secret: secret === true,
  };
});

/**
 * Reads the settings from an environment, and the files it names. A variable set to the empty text counts as not set,
 * since that is what compose files make of one. Throws `ConfigError`.
 */
export const loadConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const problems: ConfigProblem[] = [];
  const report = (variable: string, rule: string) => void problems.push({ variable, rule });

  const gathered = gather(env, report);
  const parsed = environment.safeParse(gathered);
  for (const issue of parsed.error?.issues ?? []) {
    const variable = String(issue.path[0]);
    // A secret whose file could not be read is missing for that reason alone.
    if (!problems.some((problem) => problem.variable.startsWith(variable))) report(variable, issue.message);
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    report('NODE_TLS_REJECT_UNAUTHORIZED', 'must not be 0: certificates would not be verified');
  }
  if (env.FAIL_POINT && env.NODE_ENV === 'production') report('FAIL_POINT', 'must not be set with NODE_ENV=production');
  if (parsed.success && (parsed.data.TELEGRAM_API_ID === undefined) !== (parsed.data.TELEGRAM_API_HASH === undefined)) {
    report('TELEGRAM_API_ID', 'must be set together with TELEGRAM_API_HASH, or neither');
  }
  const { SESSION_ENCRYPTION_KEY: oneKey, SESSION_ENCRYPTION_KEYS: severalKeys } = gathered;
  if ((oneKey === undefined) === (severalKeys === undefined) && !problems.some(isOfSessionKeys)) {
    report('SESSION_ENCRYPTION_KEY', 'must be set, or SESSION_ENCRYPTION_KEYS, and not both');
  }
  const limits = loadLimits(env.LIMITS_FILE || null, (rule) => report('LIMITS_FILE', rule));
  const ownUser = parsed.success ? userOf(parsed.data.RABBITMQ_URL) : null;
  const access = readAccess(env.ACCESS_FILE || null, ownUser, (rule) => report('ACCESS_FILE', rule));
  const tls = parsed.success ? readTls(parsed.data, env.PGSSLMODE || undefined, report) : null;
  if (!parsed.success || limits === null || tls === null || problems.length > 0)
    throw new ConfigError(problems, env.LOG_FORMAT === 'pretty' ? 'pretty' : 'json');

  return toConfig(parsed.data, { limits, access, tls });
};

const isOfSessionKeys = ({ variable }: ConfigProblem): boolean => variable.startsWith('SESSION_ENCRYPTION_KEY');

/** The settings' values as text, secrets from their files where these are named. */
const gather = (env: NodeJS.ProcessEnv, report: (variable: string, rule: string) => void): Record<string, string> => {
  const gathered: Record<string, string> = {};
  for (const { name, secret } of SETTINGS) {
    const inline = env[name] || null;
    const path = (secret && env[`${name}_FILE`]) || null;
    if (inline !== null && path !== null) report(name, `set it or ${name}_FILE, not both`);
    const value = path === null ? inline : readText(path, (rule) => report(`${name}_FILE`, rule));
    if (value !== null) gathered[name] = value;
  }
  return gathered;
};

/** The access file as it now is. Throws `ConfigError`. */
export const loadAccess = (
  { rabbitmqUrl }: Pick<Config, 'rabbitmqUrl'>,
  env: NodeJS.ProcessEnv = process.env,
): AccessPolicy | null => {
  const problems: ConfigProblem[] = [];
  const report = (rule: string) => problems.push({ variable: 'ACCESS_FILE', rule });
  const access = readAccess(env.ACCESS_FILE || null, userOf(rabbitmqUrl), report);
  if (problems.length > 0) throw new ConfigError(problems);
  return access;
};

/** RabbitMQ's own default where the URL names none. */
const userOf = (rabbitmqUrl: string): string => decodeURIComponent(firstUrl(rabbitmqUrl).username) || 'guest';
