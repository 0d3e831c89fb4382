/** A failure at the start, explained. */
export interface StartFault {
  /** Waiting does not mend it: somebody has to change a setting, a server or a permission. */
  isLasting: boolean;
  /** One sentence without a full stop, for the operator; it names the setting or the command that helps. */
  cause: string;
}

/** The fields that are read of an error, whichever client threw it. */
interface ErrorLike {
  message?: string;
  code?: unknown;
  cause?: unknown;
  errors?: unknown;
}

const lasting = (cause: string): StartFault => ({ isLasting: true, cause });
const passing = (cause: string): StartFault => ({ isLasting: false, cause });

/** Codes of Node.js (https://nodejs.org/api/errors.html, getaddrinfo(3), connect(2)) for servers that may come yet. */
const NETWORK: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closes the connection',
  EPIPE: 'it closes the connection',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'its host is not reached',
  EHOSTDOWN: 'its host is not reached',
  ENETUNREACH: 'its network is not reached',
  ENETDOWN: 'its network is not reached',
  EADDRNOTAVAIL: 'its address cannot be dialled from here',
};
/** Texts of the clients for the same; none of them carries a code. */
const SILENT = /time(d)? ?out|timeout|is silent/i;
const CLOSED =
  /closed abruptly|connection terminated|connection is closed|socket closed|unexpected close|connection ended/i;

/** A certificate that is refused, by OpenSSL's names. */
const CERTIFICATE =
  /^(ERR_TLS_CERT_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH)/;
const NO_TLS = /^(EPROTO|ERR_SSL_)/;

/** TLS that the two sides cannot agree on, or a server that is away; null: something else. */
function judgeConnection(error: unknown): StartFault | null {
  const { code, message } = innermost(error);
  const name = typeof code === 'string' ? code : '';
  if (CERTIFICATE.test(name)) {
    return lasting(`its certificate is refused: ${oneLine(message)} (${name}); TLS_CA_FILE names whom to trust`);
  }
  if (NO_TLS.test(name)) {
    return lasting(
      `TLS fails (${tlsReason(message)}); does the server speak TLS at this port, and want this certificate?`,
    );
  }
  if (name in NETWORK) return passing(`${NETWORK[name] ?? ''} (${name})`);
  if (SILENT.test(message)) return passing('it does not answer');
  if (CLOSED.test(message)) return passing('it closes the connection before it is open');
  return null;
}

/** OpenSSL's reason without its error numbers and source files. */
const tlsReason = (message: string): string => /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? oneLine(message);

/** PostgreSQL's classes of errors that somebody must mend: features, sign-in, names, rights, settings. */
const LASTING_STATES = /^(0A|22|28|3D|3F|42|0L|0P|F0)/;
const NO_DATABASE = '3D000';
const NO_RIGHT = '42501';

/** @param database that the URL names */
export function judgeDatabaseFault(error: unknown, database: string): StartFault {
  const connection = judgeConnection(error);
  if (connection !== null) return connection;
  const { code, message } = innermost(error);
  const state = typeof code === 'string' ? code : '';
  const text = oneLine(message);
  if (state === NO_DATABASE) {
    return lasting(`database "${database}" does not exist; \`npm run migrate\` creates it, or correct DATABASE_URL`);
  }
  if (state.startsWith('28')) return lasting(`it refuses the user of DATABASE_URL: ${text}`);
  if (state === NO_RIGHT) return lasting(`the user of DATABASE_URL lacks a right: ${text}`);
  if (LASTING_STATES.test(state)) return lasting(`${text} (${state}); see DATABASE_URL`);
  if (/password must be a string/.test(message)) return lasting('it asks for a password, and DATABASE_URL has none');
  if (/does not support SSL/i.test(message)) {
    return lasting('it does not speak TLS, which sslmode in DATABASE_URL, or PGSSLMODE, asks for');
  }
  // Starting up, full, going down, on stand-by.
  return passing(text);
}

/** AMQP's reply codes for faults that somebody must mend. */
const LASTING_REPLIES = new Set([402, 403, 405, 406, 530, 540]);
/** Those among them that another moment may change. The texts hold names, too, which may be any. */
const FOR_NOW = /limit \(\d+\) is reached|' is down/;
const REPLY = /\b(\d{3}) \([A-Z-]+\) with message "(?:[A-Z_]+ - )?([^"]*)"/;
const NO_SUCH_VHOST = /vhost '?(.*?)'? not found/;

/**
 * @param error of a connection, or of a channel
 * @param refusal why the broker does not open the vhost, where it was asked
 */
export function judgeBrokerFault(error: unknown, refusal: string | null = null): StartFault {
  if (refusal !== null) return judgeVhost(refusal);
  const connection = judgeConnection(error);
  if (connection !== null) return connection;
  const { code, message } = innermost(error);
  const [, number, said] = REPLY.exec(message) ?? [];
  const reply = number === undefined ? code : Number(number);
  const text = oneLine(said ?? message);
  if (/Login was refused/i.test(text)) {
    return lasting('it refuses the user or the password of RABBITMQ_URL');
  }
  if (reply === 403) {
    const permission = permissionOf(message);
    return lasting(`the user of RABBITMQ_URL lacks a permission${permission && ` (${permission})`}: ${text}`);
  }
  if (typeof reply === 'number') {
    return { isLasting: LASTING_REPLIES.has(reply) && !FOR_NOW.test(text), cause: `${text} (${reply})` };
  }
  if (message.startsWith('Expected ConnectionOpenOk')) {
    return lasting('it does not open the vhost of RABBITMQ_URL: there is none, or the user has no permission in it');
  }
  if (/SASL mechanism/.test(message)) return lasting(`${text}: it takes no user and password`);
  if (/frame|handshake/i.test(message)) return lasting(`what listens there does not speak AMQP 0-9-1 (${text})`);
  return passing(text);
}

/** Which of the three a refused operation needs, where the broker does not say; brokers from 4.0 on do. */
function permissionOf(message: string): string {
  const [, kind] = /"ACCESS_REFUSED - access to (queue|exchange) '/.exec(message) ?? [];
  if (kind === undefined) return '';
  if (message.includes('ExchangeDeclare;')) return 'configure';
  // Declaring a queue with dead letters needs the right to read it, too.
  if (message.includes('QueueDeclare;')) return kind === 'queue' ? 'configure or read' : 'write';
  if (message.includes('QueueBind;')) return kind === 'queue' ? 'write' : 'read';
  // Else a queue is consumed from, an exchange published to.
  return kind === 'queue' ? 'read' : 'write';
}

function judgeVhost(refusal: string): StartFault {
  const [, vhost] = NO_SUCH_VHOST.exec(refusal) ?? [];
  if (vhost !== undefined) {
    return lasting(`vhost "${vhost}" does not exist; create it (\`rabbitmqctl add_vhost\`), or correct RABBITMQ_URL`);
  }
  const text = oneLine(refusal.replace(/^[A-Z_]+ - /, ''));
  if (FOR_NOW.test(text)) return passing(text);
  return lasting(`${text}; grant it permissions there (\`rabbitmqctl set_permissions\`), or correct RABBITMQ_URL`);
}

/** @param databases that are used, first and last; the last was asked for */
export function judgeRedisFault(error: unknown, [first, last]: readonly [number, number]): StartFault {
  const connection = judgeConnection(error);
  if (connection !== null) return connection;
  const text = oneLine(innermost(error).message);
  if (/DB index is out of range|invalid DB index/i.test(text)) {
    return lasting(
      `it has no database ${last}: with this REDIS_URL the databases ${first} to ${last} are used; ` +
        `raise \`databases\` in its configuration, or choose a smaller number in REDIS_URL`,
    );
  }
  if (/SELECT is not allowed in cluster mode/i.test(text)) {
    return lasting(`it is a cluster, which has database 0 alone, and the databases ${first} to ${last} are used`);
  }
  if (/^(WRONGPASS|ERR invalid password)/i.test(text))
    return lasting('it refuses the user or the password of REDIS_URL');
  if (/^NOAUTH/i.test(text)) return lasting('it asks for a password, and REDIS_URL has none');
  if (/^NOPERM/i.test(text)) return lasting(`the user of REDIS_URL lacks a permission: ${text}`);
  if (/protocol error/i.test(text)) return lasting('what listens there does not speak the protocol of Redis');
  return passing(text);
}

/** Why HTTP cannot listen; no waiting helps. */
export function judgeListenFault(error: unknown, host: string, port: number): StartFault {
  const { code, message } = innermost(error);
  const causes: Record<string, string> = {
    EADDRINUSE: `port ${port} of ${host} is taken: another program listens there; stop it, or set HTTP_PORT`,
    EACCES: `this user may not listen on port ${port}; set HTTP_PORT to one above 1023`,
    EADDRNOTAVAIL: `HTTP_HOST ${host} is no address of this machine`,
    ENOTFOUND: `HTTP_HOST ${host} is not a known name`,
    EAI_AGAIN: `HTTP_HOST ${host} could not be looked up`,
  };
  return lasting(causes[String(code)] ?? oneLine(message));
}

/** The error that says most: a wrapper's own message is often empty, or says only that something failed. */
function innermost(error: unknown): { code: unknown; message: string } {
  let found = asError(error);
  for (let depth = 0; depth < 5; depth++) {
    const [first] = Array.isArray(found.errors) ? (found.errors as unknown[]) : [];
    const inner = first ?? (found.code === undefined ? found.cause : undefined);
    if (typeof inner !== 'object' || inner === null) break;
    found = inner;
  }
  return { code: found.code, message: found.message ?? '' };
}

const asError = (error: unknown): ErrorLike =>
  typeof error === 'object' && error !== null ? error : { message: String(error) };

/** Without line ends, and no longer than a line is read. */
const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
};
