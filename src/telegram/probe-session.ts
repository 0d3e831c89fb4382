import { Api, TelegramClient } from 'telegram';
import { AuthKey } from 'telegram/crypto/AuthKey.js';
import { RPCError } from 'telegram/errors/index.js';
import { Logger, LogLevel } from 'telegram/extensions/Logger.js';
import { UpdateConnectionState } from 'telegram/network/index.js';
import type { ProxyInterface } from 'telegram/network/connection/TCPMTProxy.js';
import { StringSession } from 'telegram/sessions/index.js';
import type { ErrorReport } from '../decide/telegram-errors/types.js';
import type { ProbeOutcome } from '../decide/condition/judge-probe.js';
import { dataCentreOf, type ServerAddress } from './data-centres.js';
import { parseProxy } from './parse-proxy.js';
import { type ParsedSession, parseSessionString } from './parse-session-string.js';
import { createProbeSockets } from './probe-sockets.js';

export interface ProbeOptions {
  /** The session string in any of the forms that are accepted at registration. */
  session: string;
  apiId: number;
  apiHash: string;
  /** As stored with the account (`parseProxy`); without one Telegram is dialled straight. */
  proxy?: unknown;
  /** The probe ends after so long, whatever happens. */
  timeoutMs: number;
  /** For tests: a server in place of Telegram's data centre. */
  server?: ServerAddress;
}

/** GramJS's client without the loop that pings until the process ends; a probe does not live that long. */
class ProbeClient extends TelegramClient {
  protected override _loopStarted = true;
}

/**
 * Tries a session on Telegram: connects, asks who it is and whether it is frozen, and disconnects for good: when the
 * promise is settled, no socket, timer or connection attempt is left (but, after a SOCKS handshake, the unreferenced
 * timer that was to bound it, until half of `timeoutMs` is over). Nothing is asked that changes anything. The caller
 * holds the account's lease, since two connections with one key end the login. Does not reject.
 */
export async function probeSession(options: ProbeOptions): Promise<ProbeOutcome> {
  const session = parseSessionString(options.session);
  if (!session.ok) return { kind: 'unusable', detail: session.message };
  const route = parseProxy(options.proxy);
  if (!route.ok) return { kind: 'unusable', detail: route.message };
  const server = options.server ?? dataCentreOf(session.dcId);
  if (server === undefined) return { kind: 'unusable', detail: 'the data centre is not known' };

  const sockets = createProbeSockets(server);
  const client = await createClient(session, route.proxy, sockets.Socket, options);
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<ProbeOutcome>((resolve) => {
    timer = setTimeout(
      () => resolve({ kind: 'unreachable', detail: `no answer within ${options.timeoutMs} ms` }),
      options.timeoutMs,
    );
    prepareSender(client, session.dcId, resolve);
  });
  try {
    return await Promise.race([ended, ask(client).catch(toOutcome)]);
  } finally {
    clearTimeout(timer);
    await client.destroy().catch(() => undefined);
    await sockets.close();
  }
}

async function createClient(
  { dcId, authKey }: ParsedSession,
  proxy: ProxyInterface | undefined,
  networkSocket: ReturnType<typeof createProbeSockets>['Socket'],
  { apiId, apiHash, timeoutMs }: ProbeOptions,
): Promise<TelegramClient> {
  const key = new AuthKey();
  await key.setKey(authKey);
  const session = new StringSession();
  // Without an address GramJS turns to data centre 4, whatever the session's own; the sockets know the address.
  session.setDC(dcId, 'telegram', 443);
  session.setAuthKey(key, dcId);
  return new ProbeClient(session, apiId, apiHash, {
    connectionRetries: 1,
    reconnectRetries: 0,
    requestRetries: 1,
    retryDelay: 0,
    floodSleepThreshold: 0,
    securityChecks: true,
    baseLogger: new Logger(LogLevel.NONE),
    networkSocket,
    // A proxy has to be through with its handshake before the probe ends: its socket cannot be had sooner.
    proxy: proxy && { ...proxy, timeout: timeoutMs / 2000 },
  });
}

/**
 * Gives the client its sender beforehand. GramJS's own would dial again a second after a connection broke, even when
 * the client is destroyed by then; and at a -404 it stops receiving and leaves the requests waiting.
 */
function prepareSender(client: TelegramClient, dcId: number, end: (outcome: ProbeOutcome) => void): void {
  const sender = client._createExportedSender(dcId);
  sender.reconnect = () => end({ kind: 'unreachable', detail: 'the connection broke' });
  sender._updateCallback = (_client, update) => {
    if (update instanceof UpdateConnectionState && update.state === UpdateConnectionState.broken) {
      end({ kind: 'key_unknown' });
    }
  };
  client._sender = sender;
}

async function ask(client: TelegramClient): Promise<ProbeOutcome> {
  let fault: unknown = new Error('not connected');
  client.onError = (error) => {
    fault = error;
    return Promise.resolve();
  };
  if (!(await client.connect())) throw fault;
  await send(client, new Api.users.GetUsers({ id: [new Api.InputUserSelf()] }));
  const config = await send(client, new Api.help.GetAppConfig({ hash: 0 }));
  return { kind: isFrozen(config) ? 'frozen' : 'healthy' };
}

/**
 * Past the client's `invoke`, which sleeps on errors of the server and then forgets them, and at `USER_MIGRATE_X` makes
 * a new key at another data centre.
 */
async function send(client: TelegramClient, request: Api.AnyRequest): Promise<unknown> {
  return await client._sender?.send(request);
}

/** https://core.telegram.org/api/auth#frozen-accounts */
function isFrozen(config: unknown): boolean {
  if (!(config instanceof Api.help.AppConfig) || !(config.config instanceof Api.JsonObject)) return false;
  const since = config.config.value.find(({ key }) => key === 'freeze_since_date')?.value;
  return since instanceof Api.JsonNumber && since.value > 0;
}

function toOutcome(error: unknown): ProbeOutcome {
  if (error instanceof RPCError) return { kind: 'error', report: toReport(error) };
  return { kind: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
}

const toReport = (error: RPCError): ErrorReport => ({
  errorType: error.constructor.name,
  errorMessage: error.message,
  errorCode: error.code ?? null,
  seconds: 'seconds' in error && typeof error.seconds === 'number' ? error.seconds : null,
});
