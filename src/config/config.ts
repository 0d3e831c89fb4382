import type { JobName } from '../../contracts/jobs.js';
import type { AccessPolicy } from '../decide/access/access-policy.js';
import type { Cadence } from '../decide/jobs/cadence.js';
import type { AlertThresholds } from '../decide/jobs/judge-shares.js';
import type { Reentry } from '../decide/limits/reentry.js';
import type { LogFormat, LogLevel } from '../telemetry/log.js';
import type { LimitSettings } from './files.js';
import type { Tls } from './tls.js';

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
  limits: LimitSettings;
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
  /** Days that history is kept, as `HISTORY_DAYS` says of what. */
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
