import { z } from 'zod';
import { firstUrl, splitUrls } from '../decide/messages/split-urls.js';
import { LOG_FORMATS, LOG_LEVELS } from '../telemetry/log.js';
import { cadence, file, sessionKey, sessionKeys, urlOfOne, urls, wholeNumber } from './rules.js';

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

/** RabbitMQ's own default where the URL names none. */
export const userOf = (rabbitmqUrl: string): string => decodeURIComponent(firstUrl(rabbitmqUrl).username) || 'guest';

/** The identity of the service does not depend on the node that it is connected to. */
const areOfOneBroker = (list: string): boolean =>
  new Set(splitUrls(list).map((one) => `${userOf(one)} ${new URL(one).pathname.replace(/^\/$/, '')}`)).size === 1;

/** The form of `FAIL_POINT`. */
export const FAIL_POINT =
  /^(?<operation>[a-z.-]+):(?<point>before-commit|after-commit|after-reply)(:(?<messageId>[0-9a-f-]{36}))?$/;

/** The rule of each variable, with what the documents say of it. */
export const environment = z.object({
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
      'How long events, counted actions, error reports, ended leases, job runs, reports, resolved alerts and the counters of channels whose total nothing limits are kept',
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
export type GivenSettings = z.output<typeof environment>;

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
