import type { ConnectionOptions } from 'node:tls';
import { messageOf } from './errors.js';

export interface ConnectOptions {
  /** The name under which this service takes accounts; where callers are told apart: the user of the URL. */
  serviceName: string;
  /** How long a request may take before it is given up, milliseconds; 30,000. An allocation's `wait_ms` comes on top. */
  timeoutMs?: number;
  /** A request that is not answered is sent again after this long, milliseconds; 5,000. */
  resendAfterMs?: number;
  /** How long `connectAccountManager` waits for the broker, milliseconds; 30,000. Later losses are waited out by themselves. */
  connectTimeoutMs?: number;
  /** Two of them missed, and the connection counts as lost, seconds; 10. */
  heartbeatSeconds?: number;
  /** How long `close` waits for what is under way, milliseconds; 5,000. */
  closeTimeoutMs?: number;
  /** Where events come from, if that is another user of the broker: one that may subscribe, as deploy/rabbitmq has it. */
  eventsUrl?: string | readonly string[];
  /** For `amqps:`: authorities to trust, a certificate to be known by. */
  tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'servername'>;
  /** Whether an error came from Telegram and is to be reported; without it: errors of GramJS, mtcute and MTKruto. */
  isTelegramError?: (error: unknown) => boolean;
  /** Told what has failed without anybody waiting for it: an event's handler, a renewal, a permit that was not settled. */
  onWarning?: (warning: Error) => void;
}

export type Settings = Required<Omit<ConnectOptions, 'tls' | 'eventsUrl'>> & Pick<ConnectOptions, 'tls'>;

const DEFAULTS = {
  timeoutMs: 30_000,
  resendAfterMs: 5_000,
  connectTimeoutMs: 30_000,
  heartbeatSeconds: 10,
  closeTimeoutMs: 5_000,
};

const SERVICE_NAME = /^[a-z0-9._-]{1,100}$/;

/** Fills in what is not given. Throws on what cannot work. */
export function readOptions(options: ConnectOptions, isTelegramError: (error: unknown) => boolean): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = {
    ...DEFAULTS,
    isTelegramError,
    // A text: an error of another realm, as under Jest, is refused.
    onWarning: ({ message, cause }) => process.emitWarning(`${message}: ${messageOf(cause)}`, 'AccountManagerWarning'),
    ...(given as Pick<ConnectOptions, 'serviceName'>),
  };
  if (typeof settings.serviceName !== 'string' || !SERVICE_NAME.test(settings.serviceName)) {
    throw new TypeError('serviceName must be 1 to 100 characters of a-z, 0-9, ".", "_", "-"');
  }
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    if (!(settings[name] > 0)) throw new RangeError(`${name} must be a number above 0`);
  }
  return settings;
}
