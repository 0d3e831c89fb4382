import { existsSync } from 'node:fs';
import path from 'node:path';
import helmet from '@fastify/helmet';
import serveFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CONSOLE_COOKIE, type ConsoleSession, loginRequest, type SessionReply } from '../../../contracts/console.js';
import { OPERATIONS } from '../../../contracts/operations.js';
import { describeIssue } from '../../requests/dispatch.js';
import { refuse, refuseInvalid } from '../../requests/refuse.js';
import type { Log } from '../../telemetry/log.js';
import { decodeBody } from '../decode-message.js';
import type { Gate } from '../gate.js';
import { answer } from './answer.js';
import { callerOf, refuseForeign } from './caller.js';
import { PREFIX } from './operations.js';

export interface ConsoleSource {
  gate: Gate;
  log: Log;
  /** Where the built page lies. */
  folder: string;
  /** Whether the door speaks HTTPS only: the cookie is then never sent in the clear. */
  isEncrypted: boolean;
}

/** Where a browser finds the console. */
export const CONSOLE_PATH = '/console';
const LOGIN_SECONDS = 7 * 24 * 3600;
const ASSETS_PATH = `${CONSOLE_PATH}/assets/`;
const KEPT_FOR_EVER = 'public, max-age=31536000, immutable';

/** Scripts, styles and requests of this origin alone; nothing inline, nothing embedded, no other host. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** Serves the operator's page with its log-in; what it shows and does are operations like everybody's. */
export const serveConsole = (app: FastifyInstance, source: ConsoleSource): void => {
  void app.register(async (scope) => {
    // The door's own, which no page could live with, stands in the reply, and would win over the one set here.
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.removeHeader('content-security-policy').removeHeader('referrer-policy');
      done();
    });
    await scope.register(helmet, {
      contentSecurityPolicy: CONTENT_SECURITY_POLICY,
      strictTransportSecurity: false,
      crossOriginEmbedderPolicy: true,
    });
    serveLogin(scope, source);
    await servePage(scope, source.folder);
  });
};

async function servePage(scope: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(path.join(folder, 'index.html'))) {
    const notBuilt = (_request: FastifyRequest, reply: FastifyReply) =>
      answer(reply, refuse('UNKNOWN_OPERATION', { message: 'the console is not built: npm run build' }));
    scope.get(CONSOLE_PATH, notBuilt);
    return;
  }
  await scope.register(serveFiles, {
    root: path.join(folder, 'assets'),
    prefix: ASSETS_PATH,
    preCompressed: true,
    cacheControl: false,
  });
  scope.addHook('onSend', (request, reply, _payload, done) => {
    // Their names tell their contents apart.
    if (reply.statusCode < 400 && request.url.startsWith(ASSETS_PATH)) reply.header('cache-control', KEPT_FOR_EVER);
    done();
  });
  // The page finds its view in the address, so every address below is the page.
  const sendPage = (_request: FastifyRequest, reply: FastifyReply) =>
    reply.header('cache-control', 'no-cache').sendFile('index.html', folder);
  scope.get(CONSOLE_PATH, sendPage);
  scope.get(`${CONSOLE_PATH}/*`, sendPage);
}

function serveLogin(scope: FastifyInstance, { gate, log, isEncrypted }: ConsoleSource): void {
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: isEncrypted } as const;

  scope.get(`${CONSOLE_PATH}/session`, (request, reply) => {
    // Nobody having logged in yet is no failure, so a page that asks shows none.
    const session = sessionOf(callerOf(request, gate), gate);
    return reply.send({ session } satisfies SessionReply);
  });

  scope.post<{ Body: Uint8Array | undefined }>(`${CONSOLE_PATH}/login`, (request, reply) => {
    const foreign = refuseForeign(request);
    if (foreign !== null) return answer(reply, foreign);
    const decoded = decodeBody(request.body ?? new Uint8Array(), 'console.login');
    if (!decoded.ok) return answer(reply, decoded.refusal);
    const { data, error } = loginRequest.safeParse(decoded.body);
    if (data === undefined) return answer(reply, refuseInvalid(error.issues.flatMap(describeIssue)));
    const caller = gate.identify(`Bearer ${data.token}`);
    const session = sessionOf(caller, gate);
    log.info('console login', { request_id: request.id, caller, accepted: session !== null });
    if (session === null) return answer(reply, UNKNOWN);
    return reply
      .setCookie(CONSOLE_COOKIE, data.token, { ...cookie, maxAge: LOGIN_SECONDS })
      .send({ session } satisfies SessionReply);
  });

  scope.post(`${CONSOLE_PATH}/logout`, (request, reply) => {
    const foreign = refuseForeign(request);
    if (foreign !== null) return answer(reply, foreign);
    log.info('console logout', { request_id: request.id, caller: callerOf(request, gate) });
    return reply.clearCookie(CONSOLE_COOKIE, cookie).code(204).send();
  });
}

const UNKNOWN = refuse('UNAUTHENTICATED', { message: 'token: is of no listed caller that may come over http' });

/** Rights of the page; null: the caller is unknown. */
function sessionOf(caller: string | null, gate: Gate): ConsoleSession | null {
  const allowed = gate.operationsOf(caller);
  if (allowed === null) return null;
  const operations = Object.fromEntries(
    allowed.map((name) => {
      const { method, path: below } = OPERATIONS[name].http;
      return [name, { method, path: PREFIX + below }];
    }),
  );
  return { caller, operations };
}
