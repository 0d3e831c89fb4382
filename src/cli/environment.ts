/** Environment variables of the command. An empty variable counts as not set. */
export interface Environment {
  url: string | null;
  token: string | null;
  /** Path of the profile file. */
  profile: string | null;
  /** Where users keep settings of programs; null: there is no home. */
  configHome: string | null;
  /** https://no-color.org */
  noColour: boolean;
  /** Whether any setting of the service that names a server is here. */
  hasSettings: boolean;
  /** Kind of the terminal, such as `xterm` or `dumb`. */
  term: string | null;
}

const SERVERS = ['DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL'];

/** The only reader of the command's environment; the service's is src/config.ts. */
export const readEnvironment = (env: NodeJS.ProcessEnv = process.env): Environment => ({
  url: env.ACCOUNT_MANAGER_URL || null,
  token: env.ACCOUNT_MANAGER_TOKEN || null,
  profile: env.ACCOUNT_MANAGER_PROFILE || null,
  configHome: env.XDG_CONFIG_HOME || (env.HOME ? `${env.HOME}/.config` : null),
  noColour: Boolean(env.NO_COLOR),
  hasSettings: SERVERS.some((name) => env[name] || env[`${name}_FILE`]),
  term: env.TERM || null,
});
