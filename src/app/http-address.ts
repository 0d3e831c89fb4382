import type { Config } from '../config.js';
import type { Log } from '../telemetry/log.js';

/** Where HTTP listens: on this machine alone where callers are not told apart and the network is not trusted. */
export const httpAddress = ({ access, networkIsTrusted, httpHost }: Config): string =>
  access === null && !networkIsTrusted ? ownAddress(httpHost) : httpHost;

/** The address where it is one of this machine alone; else its usual one. */
const ownAddress = (host: string): string =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host) ? host : '127.0.0.1';

/** Tells what the settings leave open to everybody, and what they ask for in vain. */
export function tellWarnings(config: Config, log: Log): void {
  for (const warning of config.warnings) log.warn(warning);
  const host = httpAddress(config);
  if (config.access === null) {
    log.warn('IDENTITY IS OFF: everybody who reaches a door may do everything, under any name; set ACCESS_FILE');
  }
  if (config.access === null && host !== ownAddress(host)) {
    log.warn(
      'THE NETWORK IS TRUSTED: NETWORK_IS_TRUSTED lets everybody on it do everything over http, without a token',
      { host },
    );
  }
  if (host !== config.httpHost) {
    log.warn('HTTP_HOST IS NOT USED: without ACCESS_FILE or NETWORK_IS_TRUSTED http listens on this machine only', {
      given: config.httpHost,
      host,
    });
  }
}
