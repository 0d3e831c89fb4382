import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { type LimitsPolicy, parseLimits } from './decide/limits-policy.js';
import { LOG_LEVELS, type LogLevel } from './telemetry/log.js';

/** What the service is told at start; immutable from then on. */
export interface Config {
  databaseUrl: string;
  /** Connections to PostgreSQL that requests share. */
  databasePoolSize: number;
  /** Names database N; the service uses N+1 to N+4. */
  redisUrl: string;
  /** Its path is the vhost. */
  rabbitmqUrl: string;
  httpHost: string;
  /** 0: any free port. */
  httpPort: number;
  limits: { policy: LimitsPolicy; countFailedAttempts: boolean };
  /** 64 hexadecimal digits. */
  sessionEncryptionKey: string;
  logLevel: LogLevel;
  instanceName: string;
  shutdownTimeoutSeconds: number;
  /** For tests: the request that ends this process, and where. */
  failPoint?: { operation: string; point: 'before-commit' | 'after-commit' | 'after-reply'; messageId: string | null };
}

/** One environment variable, as the documents list it. */
export interface Setting {
  name: string;
  meaning: string;
  /** What holds where it is not set; null: it must be set. */
  default: string | null;
  /** Never shown; may be given as the path of a file in `<name>_FILE` instead. */
  secret: boolean;
}

const required = z.string('must be set');
const url = (...schemes: string[]) => {
  const rule = `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return required.refine((given) => URL.canParse(given) && schemes.includes(new URL(given).protocol.slice(0, -1)), {
    error: rule,
    abort: true,
  });
};
const wholeNumber = (min: number, max: number) => {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: rule, abort: true })
    .transform(Number)
    .refine((n) => n >= min && n <= max, rule);
};

/** A `db` in the query string would win over every database the service selects. */
const namesRedisDatabase = ({ pathname, searchParams }: URL): boolean =>
  /^\/?\d{0,4}$/.test(pathname) && !searchParams.has('db');

const FAIL_POINT =
  /^(?<operation>[a-z.-]+):(?<point>before-commit|after-commit|after-reply)(:(?<messageId>[0-9a-f-]{36}))?$/;

const environment = z.object({
  DATABASE_URL: url('postgresql', 'postgres').meta({ secret: true, meaning: 'PostgreSQL: accounts, leases, limits' }),
  DATABASE_POOL_SIZE: wholeNumber(1, 100)
    .prefault('8')
    .meta({ meaning: 'Connections to PostgreSQL that requests share' }),
  REDIS_URL: url('redis', 'rediss')
    .refine((given) => namesRedisDatabase(new URL(given)), 'must have a database number as its path, or none for 0')
    .meta({ secret: true, meaning: 'Redis, database N: N+1 to N+4 are used, for what may be lost' }),
  RABBITMQ_URL: url('amqp', 'amqps').meta({ secret: true, meaning: 'RabbitMQ, its vhost being the path' }),
  HTTP_HOST: z.string().prefault('127.0.0.1').meta({ meaning: 'Address the HTTP door listens on' }),
  HTTP_PORT: wholeNumber(0, 65_535).prefault('3000').meta({ meaning: 'Port of the HTTP door; 0: any free one' }),
  LIMITS_FILE: z.string().optional().meta({
    meaning: 'JSON file of limits by action that differ from the defaults',
    defaultText: 'the default limits',
  }),
  SESSION_ENCRYPTION_KEY: required
    .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
    .meta({ secret: true, meaning: 'Key that seals session data in the database: 64 hexadecimal digits' }),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)
    .prefault('info')
    .meta({
      meaning: 'Least severe log lines to write; can be changed while running',
    }),
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

/** A variable and the rule it breaks; never its value, which may be secret. */
export interface ConfigProblem {
  variable: string;
  rule: string;
}

/** Says everything that is wrong at once, one problem a line. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ variable, rule }) => `${variable}: ${rule}`).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the settings from an environment, and the files it names. A variable set to the empty text counts as not set,
 * since that is what compose files make of one. Throws `ConfigError`.
 */
export const loadConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const problems: ConfigProblem[] = [];
  const report = (variable: string, rule: string) => void problems.push({ variable, rule });

  const parsed = environment.safeParse(gather(env, report));
  for (const issue of parsed.error?.issues ?? []) {
    const variable = String(issue.path[0]);
    // A secret whose file could not be read is missing for that reason alone.
    if (!problems.some((problem) => problem.variable.startsWith(variable))) report(variable, issue.message);
  }
  if (env.FAIL_POINT && env.NODE_ENV === 'production') report('FAIL_POINT', 'must not be set with NODE_ENV=production');
  const limits = loadLimits(env.LIMITS_FILE || null, (rule) => report('LIMITS_FILE', rule));
  if (!parsed.success || limits === null || problems.length > 0) throw new ConfigError(problems);

  const given = parsed.data;
  return {
    databaseUrl: given.DATABASE_URL,
    databasePoolSize: given.DATABASE_POOL_SIZE,
    redisUrl: given.REDIS_URL,
    rabbitmqUrl: given.RABBITMQ_URL,
    httpHost: given.HTTP_HOST,
    httpPort: given.HTTP_PORT,
    limits,
    sessionEncryptionKey: given.SESSION_ENCRYPTION_KEY,
    logLevel: given.LOG_LEVEL,
    instanceName: given.INSTANCE_NAME ?? `${hostname()}-${process.pid}`,
    shutdownTimeoutSeconds: given.SHUTDOWN_TIMEOUT_SECONDS,
    failPoint: given.FAIL_POINT === undefined ? undefined : parseFailPoint(given.FAIL_POINT),
  };
};

const parseFailPoint = (text: string): Config['failPoint'] => {
  const { operation = '', point, messageId = null } = FAIL_POINT.exec(text)?.groups ?? {};
  return { operation, point: point as NonNullable<Config['failPoint']>['point'], messageId };
};

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

const loadLimits = (path: string | null, report: (rule: string) => void): Config['limits'] | null => {
  const text = path === null ? '{}' : readText(path, report);
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    report('its file must be JSON');
    return null;
  }
  const limits = parseLimits(json);
  if (limits.ok) return { policy: limits.policy, countFailedAttempts: limits.countFailedAttempts };
  for (const { path, message } of limits.issues)
    report(`in its file, ${path === '' ? 'as a whole' : path}: ${message}`);
  return null;
};

/** A file's text without the line end that editors add. */
const readText = (path: string, report: (rule: string) => void): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    report(`its file cannot be read (${code})`);
    return null;
  }
};
