import type { AccessPolicy } from './decide/access/access-policy.js';
import type { Config } from './config/config.js';
import { ConfigError, type ConfigProblem } from './config/config-error.js';
import { loadLimits, readAccess, readText } from './config/files.js';
import { environment, SETTINGS, userOf } from './config/settings.js';
import { readTls } from './config/tls.js';
import { toConfig } from './config/to-config.js';

export type { Config } from './config/config.js';
export { ConfigError } from './config/config-error.js';

/**
 * Reads the settings from an environment, and the files it names. A variable set to the empty text counts as not set,
 * since that is what compose files make of one. Throws `ConfigError`.
 */
export const loadConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const problems: ConfigProblem[] = [];
  const addProblem = (variable: string, rule: string) => void problems.push({ variable, rule });

  const gathered = gather(env, addProblem);
  const parsed = environment.safeParse(gathered);
  for (const issue of parsed.error?.issues ?? []) {
    const variable = String(issue.path[0]);
    // A secret whose file could not be read is missing for that reason alone.
    if (!problems.some((problem) => problem.variable.startsWith(variable))) addProblem(variable, issue.message);
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    addProblem('NODE_TLS_REJECT_UNAUTHORIZED', 'must not be 0: certificates would not be verified');
  }
  if (env.FAIL_POINT && env.NODE_ENV === 'production')
    addProblem('FAIL_POINT', 'must not be set with NODE_ENV=production');
  if (parsed.success && (parsed.data.TELEGRAM_API_ID === undefined) !== (parsed.data.TELEGRAM_API_HASH === undefined)) {
    addProblem('TELEGRAM_API_ID', 'must be set together with TELEGRAM_API_HASH, or neither');
  }
  const { SESSION_ENCRYPTION_KEY: oneKey, SESSION_ENCRYPTION_KEYS: severalKeys } = gathered;
  if ((oneKey === undefined) === (severalKeys === undefined) && !problems.some(isOfSessionKeys)) {
    addProblem('SESSION_ENCRYPTION_KEY', 'must be set, or SESSION_ENCRYPTION_KEYS, and not both');
  }
  const limits = loadLimits(env.LIMITS_FILE || null, (rule) => addProblem('LIMITS_FILE', rule));
  const ownUser = parsed.success ? userOf(parsed.data.RABBITMQ_URL) : null;
  const access = readAccess(env.ACCESS_FILE || null, ownUser, (rule) => addProblem('ACCESS_FILE', rule));
  const tls = parsed.success ? readTls(parsed.data, env.PGSSLMODE || undefined, addProblem) : null;
  if (!parsed.success || limits === null || tls === null || problems.length > 0)
    throw new ConfigError(problems, env.LOG_FORMAT === 'pretty' ? 'pretty' : 'json');

  return toConfig(parsed.data, { limits, access, tls });
};

const isOfSessionKeys = ({ variable }: ConfigProblem): boolean => variable.startsWith('SESSION_ENCRYPTION_KEY');

/** The settings' values as text, secrets from their files where these are named. */
const gather = (
  env: NodeJS.ProcessEnv,
  addProblem: (variable: string, rule: string) => void,
): Record<string, string> => {
  const gathered: Record<string, string> = {};
  for (const { name, secret } of SETTINGS) {
    const inline = env[name] || null;
    const path = (secret && env[`${name}_FILE`]) || null;
    if (inline !== null && path !== null) addProblem(name, `set it or ${name}_FILE, not both`);
    const value = path === null ? inline : readText(path, (rule) => addProblem(`${name}_FILE`, rule));
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
  const addProblem = (rule: string) => problems.push({ variable: 'ACCESS_FILE', rule });
  const access = readAccess(env.ACCESS_FILE || null, userOf(rabbitmqUrl), addProblem);
  if (problems.length > 0) throw new ConfigError(problems);
  return access;
};
