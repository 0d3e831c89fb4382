import { hostname } from 'node:os';
import type { Config, JobsConfig } from './config.js';
import { FAIL_POINT, type GivenSettings } from './settings.js';
import type { Tls } from './tls.js';

/** Probes begin at random instants within so long, not all at once. */
const PROBE_JITTER_MS = 5_000;

/** The files that the variables name, as they were read. */
type ReadFiles = Pick<Config, 'limits' | 'access'> & { tls: Tls };

/** The settings in the units and the shape in which the service uses them. */
export const toConfig = (given: GivenSettings, { limits, access, tls }: ReadFiles): Config => ({
  ...tls,
  databasePoolSize: given.DATABASE_POOL_SIZE,
  redisUrl: given.REDIS_URL,
  rabbitmqUrl: given.RABBITMQ_URL,
  rabbitmqManagementUrl: given.RABBITMQ_MANAGEMENT_URL,
  httpHost: given.HTTP_HOST,
  networkIsTrusted: given.NETWORK_IS_TRUSTED === 'true',
  httpPort: given.HTTP_PORT,
  httpKeepAliveSeconds: given.HTTP_KEEP_ALIVE_SECONDS,
  limits,
  access,
  sessionEncryptionKeys: given.SESSION_ENCRYPTION_KEYS ?? [given.SESSION_ENCRYPTION_KEY ?? ''],
  logLevel: given.LOG_LEVEL,
  logFormat: given.LOG_FORMAT,
  instanceName: given.INSTANCE_NAME ?? `${hostname()}-${process.pid}`,
  shutdownTimeoutSeconds: given.SHUTDOWN_TIMEOUT_SECONDS,
  errorWindowMs: given.ERROR_WINDOW_HOURS * 3_600_000,
  reentry: { days: given.REENTRY_DAYS, share: given.REENTRY_PERCENT / 100 },
  jobs: toJobs(given),
  failPoint: given.FAIL_POINT === undefined ? undefined : parseFailPoint(given.FAIL_POINT),
});

const toJobs = (given: GivenSettings): JobsConfig => ({
  enabled: given.JOBS_ENABLED === 'true',
  cadences: {
    'reset-daily-limits': given.RESET_DAILY_LIMITS_CADENCE,
    'process-recoveries': given.PROCESS_RECOVERIES_CADENCE,
    'cleanup-locks': given.CLEANUP_LOCKS_CADENCE,
    'health-scan': given.HEALTH_SCAN_CADENCE,
    'cleanup-rate-limits': given.CLEANUP_RATE_LIMITS_CADENCE,
    report: given.REPORT_CADENCE,
  },
  leaseSeconds: given.JOB_LEASE_SECONDS,
  timeoutSeconds: given.JOB_TIMEOUT_SECONDS,
  alerts: {
    floodWaitPercent: given.ALERT_FLOOD_WAIT_PERCENT,
    blockedPercent: given.ALERT_BLOCKED_PERCENT,
    nearLimitsPercent: given.ALERT_NEAR_LIMITS_PERCENT,
  },
  nearLimitPercent: given.NEAR_LIMIT_PERCENT,
  historyDays: given.HISTORY_DAYS,
  usageArchiveDays: given.USAGE_ARCHIVE_DAYS,
  probe: toProbe(given),
});

/** Probes get half of a scan's time. */
const toProbe = (given: GivenSettings): JobsConfig['probe'] =>
  given.TELEGRAM_API_ID === undefined || given.TELEGRAM_API_HASH === undefined
    ? undefined
    : {
        apiId: given.TELEGRAM_API_ID,
        apiHash: given.TELEGRAM_API_HASH,
        atOnce: given.TELEGRAM_PROBES_AT_ONCE,
        timeoutMs: given.TELEGRAM_PROBE_TIMEOUT_SECONDS * 1000,
        jitterMs: PROBE_JITTER_MS,
        budgetMs: given.JOB_TIMEOUT_SECONDS * 500,
      };

const parseFailPoint = (text: string): Config['failPoint'] => {
  const { operation = '', point, messageId = null } = FAIL_POINT.exec(text)?.groups ?? {};
  return { operation, point: point as NonNullable<Config['failPoint']>['point'], messageId };
};
