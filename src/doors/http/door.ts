import { randomUUID } from 'node:crypto';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import readCookies from '@fastify/cookie';
import fastify, {
  type FastifyError,
  type FastifyHttpsOptions,
  type FastifyInstance,
  type FastifyServerOptions,
} from 'fastify';
import type { Registry } from 'prom-client';
import { ENVELOPE } from '../../../contracts/envelope.js';
import { waitAtMost } from '../../broker/wait-at-most.js';
import { refuse } from '../../requests/refuse.js';
import type { Dispatch } from '../../requests/request.js';
import type { Log } from '../../telemetry/log.js';
import type { Gate } from '../gate.js';
import { answer } from './answer.js';
import { serveConsole } from './console.js';
import { type EventStreamSource, serveEventStream, STREAM_PATH } from './event-stream.js';
import { type HealthSource, serveHealth } from './health.js';
import { PREFIX, serveOperations } from './operations.js';
import { readRequestId } from './request.js';
import { serveRoot } from './root.js';

/** How long a client may keep a connection, milliseconds. */
export interface HttpTimeouts {
  /** From the connection to the end of the headers; of the handshake, too. */
  headersMs: number;
  /** From the connection to the end of the body. */
  requestMs: number;
  /** Between two requests; above the 60 to 75 s of common balancers, which do not repeat a POST that met a closed connection. */
  keepAliveMs: number;
  /** Without a byte in either direction; above the longest `wait_ms`, 60 s. */
  silenceMs: number;
  /** How often the first two are looked at. */
  checkMs: number;
}
const TIMEOUTS: HttpTimeouts = {
  headersMs: 10_000,
  requestMs: 20_000,
  keepAliveMs: 90_000,
  silenceMs: 90_000,
  checkMs: 2_000,
};

/** Beyond this new connections are closed at once: file handles must be left for the database and the broker. */
const MAX_CONNECTIONS = 2_000;

/** Replies carry session data: nobody between may keep them, and no page of a browser may show or embed them. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};
/** A browser that has come once does not come back unencrypted, for a year. */
const ENCRYPTED_ONLY = { 'strict-transport-security': 'max-age=31536000' };

export interface HttpDoorOptions extends HealthSource {
  dispatch: Dispatch;
  gate: Gate;
  metrics: { registry: Registry };
  /** Absent: the stream of events is not served. */
  events?: EventStreamSource;
  /** Where the console's page lies; absent: it is not served. */
  consoleFolder?: string;
  log: Log;
  /** How long `stop` lets requests under way finish, milliseconds. */
  drainMs?: number;
  /** PEM texts; absent: HTTP without encryption. */
  tls?: { cert: string; key: string };
  timeouts?: Partial<HttpTimeouts>;
  maxConnections?: number;
}

export interface HttpDoor {
  /** Listens; port 0 takes any free one. Rejects where the address cannot be had. */
  start: (host: string, port: number) => Promise<{ port: number }>;
  /** Requests for operations that were let in and are not yet answered. */
  inWork: () => number;
  /** Ends the streams of events. */
  endStreams: () => void;
  /** Ends them, takes no more requests, lets those under way finish for `drainMs`, then closes every connection. */
  stop: () => Promise<void>;
}

/** Serves every operation of the contract over HTTP, the health of this instance and its metrics. */
export const createHttpDoor = (options: HttpDoorOptions): HttpDoor => {
  const { metrics, log, drainMs = 20_000, maxConnections = MAX_CONNECTIONS } = options;
  const app = createServer({ ...TIMEOUTS, ...options.timeouts }, options.tls);
  app.server.maxConnections = maxConnections;
  const underWay = trackRequests(app);
  const connections = new Set<Socket>();
  app.server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  answerFaults(app, log);

  // The body stays bytes: both doors decode it by the same rules.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ ...HEADERS, ...(options.tls && ENCRYPTED_ONLY), 'x-request-id': request.id });
    done();
  });

  void app.register(readCookies);
  const inWork = serveOperations(app, options);
  const streams =
    options.events && serveEventStream(app, PREFIX + STREAM_PATH, { ...options.events, gate: options.gate, log });
  serveRoot(app);
  serveHealth(app, options);
  if (options.consoleFolder !== undefined) {
    const { gate, consoleFolder: folder } = options;
    serveConsole(app, { gate, log, folder, isEncrypted: options.tls !== undefined });
  }
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );

  return {
    start: async (host, port) => {
      await app.listen({ host, port });
      return { port: (app.server.address() as AddressInfo).port };
    },
    inWork,
    endStreams: () => streams?.end(),
    stop: async () => {
      streams?.end();
      const finished = underWay.finish();
      const closed = app.close();
      await waitAtMost(finished, drainMs);
      // The other connections are idle, have never sent a request or finished its handshake, or had its time.
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
};

const createServer = (timeouts: HttpTimeouts, tls: HttpDoorOptions['tls']): FastifyInstance => {
  const server = { headersTimeout: timeouts.headersMs, connectionsCheckingInterval: timeouts.checkMs };
  const options: FastifyServerOptions = {
    genReqId: ({ headers }) => readRequestId(headers),
    bodyLimit: ENVELOPE.maxBodyBytes,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionTimeout: timeouts.silenceMs,
    // Its own 503 has not the contract's shape; `trackRequests` answers.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => {
      answer(reply, refuse('MALFORMED_MESSAGE', { message: ruleBroken(error.code) }));
    },
    clientErrorHandler: refuseOnSocket,
  };
  if (tls === undefined) return fastify({ ...options, http: server });
  const https = { ...server, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: timeouts.headersMs } as const;
  // Nobody here asks the server for more than both kinds have.
  return fastify({ ...options, https } as FastifyHttpsOptions<HttpsServer>);
};

/** Counts the requests that are not yet answered; once told to finish, refuses new ones. */
const trackRequests = (app: FastifyInstance): { finish: () => Promise<void> } => {
  let underWay = 0;
  let finish: (() => void) | null = null;
  app.addHook('onRequest', (_request, reply, done) => {
    underWay++;
    reply.raw.once('close', () => {
      underWay--;
      if (underWay === 0) finish?.();
    });
    if (finish === null) done();
    else answer(reply, refuse('UNAVAILABLE', { message: 'this instance is shutting down; nothing was done' }));
  });
  return {
    finish: () =>
      new Promise((resolve) => {
        finish = resolve;
        if (underWay === 0) resolve();
      }),
  };
};

/** Gives every error, whoever found it, the contract's shape. */
const answerFaults = (app: FastifyInstance, log: Log): void => {
  app.setNotFoundHandler((request, reply) =>
    answer(reply, refuse('UNKNOWN_OPERATION', { message: `no operation at ${request.method} of this path` })),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      // A client that is cut off while sending sees a broken pipe instead of the answer, so the rest is read and thrown away.
      reply.removeHeader('connection');
      request.raw.resume();
    }
    if (error.statusCode !== undefined && error.statusCode < 500) {
      const message =
        error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
          ? `body: must be at most ${request.routeOptions.bodyLimit} bytes`
          : ruleBroken(error.code);
      return answer(reply, refuse('MALFORMED_MESSAGE', { message }));
    }
    const errorId = randomUUID();
    log.error('http request failed', { request_id: request.id, error_id: errorId, error });
    return answer(reply, refuse('INTERNAL', { details: { error_id: errorId } }));
  });
};

/**
 * A client that is still sending must be read for a moment after it was answered, or it would see a broken connection instead; who
 * then stays is cut off, since it would keep its connection from others.
 */
const LINGER_MS = 1_000;

/** Answers on the socket what did not become a request, and closes it. */
const refuseOnSocket = (error: NodeJS.ErrnoException, socket: Socket): void => {
  // Before the handshake nothing can be told: what is written would wait for it, and keep the connection.
  if (error.code === 'ECONNRESET' || error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(refuse('MALFORMED_MESSAGE', { message: ruleBroken(error.code) }));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: ${ENVELOPE.contentType}\r\n` +
      `${ENVELOPE.errorCodeHeader}: MALFORMED_MESSAGE\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
};

/** By the codes of Fastify and Node, what was wrong with a request that could not be read. */
const RULES: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: `content-type: must be ${ENVELOPE.contentType} in UTF-8`,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'content-length: must be the length of the body',
  FST_ERR_BAD_URL: 'path: must be well-formed percent-encoding',
  FST_ERR_MAX_PARAM_LENGTH: 'path: a parameter is too long',
  HPE_HEADER_OVERFLOW: 'headers: are too large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request: took too long to arrive',
};
const ruleBroken = (code = ''): string => RULES[code] ?? 'request: must be well-formed HTTP';
