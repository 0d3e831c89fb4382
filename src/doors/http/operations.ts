import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PHONES_HEADER } from '../../../contracts/console.js';
import {
  maxBodyBytesOf,
  OPERATION_NAMES,
  type Operation,
  OPERATIONS,
  type OperationName,
} from '../../../contracts/operations.js';
import { refuse } from '../../requests/refuse.js';
import type { Dispatch, Reply } from '../../requests/request.js';
import type { Log } from '../../telemetry/log.js';
import type { Gate } from '../gate.js';
import { answer } from './answer.js';
import { callerOf, isByCookie, refuseForeign } from './caller.js';
import { maskPhones } from './mask-phones.js';
import { createQueryReader, type Query } from './query.js';
import { readHttpRequest, readTraceparent } from './request.js';

/** Where the routes of operations begin. */
export const PREFIX = '/api/v1/account-manager';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller that its bearer token belongs to; null for nobody. */
    caller: string | null;
  }
}

/** Resources that operations are served with. */
export interface OperationsSource {
  dispatch: Dispatch;
  gate: Gate;
  log: Log;
}

/**
 * Serves every operation of the contract's table at its route; other methods there are answered 405. Answers how many
 * requests are in work.
 */
export const serveOperations = (app: FastifyInstance, source: OperationsSource): (() => number) => {
  app.decorateRequest('caller', null);
  let inWork = 0;
  const onEnter = (reply: FastifyReply): void => {
    inWork += 1;
    reply.raw.once('close', () => (inWork -= 1));
  };
  for (const name of OPERATION_NAMES) serveOperation(app, name, { ...source, onEnter });

  const methodsByUrl = new Map<string, string[]>();
  for (const { http } of Object.values(OPERATIONS)) {
    const methods = methodsByUrl.get(urlOf(http.path)) ?? [];
    // A GET is served as HEAD too.
    methodsByUrl.set(urlOf(http.path), [...methods, ...(http.method === 'GET' ? ['GET', 'HEAD'] : ['POST'])]);
  }
  for (const [url, allowed] of methodsByUrl) {
    app.route({
      method: app.supportedMethods.filter((method) => !allowed.includes(method)),
      url,
      handler: (request, reply) => {
        const message = `${request.method} is not served here, but ${allowed.join(', ')}`;
        return answer(reply.header('allow', allowed.join(', ')), refuse('UNKNOWN_OPERATION', { message }), 405);
      },
    });
  }
  return () => inWork;
};

const serveOperation = (
  app: FastifyInstance,
  name: OperationName,
  { dispatch, gate, log, onEnter }: OperationsSource & { onEnter: (reply: FastifyReply) => void },
): void => {
  const { http, request: schema }: Operation = OPERATIONS[name];
  const operation = { name, method: http.method, readQuery: createQueryReader(schema), inQuery: http.query ?? [] };
  app.route<{ Params: Record<string, string>; Querystring: Query; Body: Uint8Array | undefined }>({
    method: http.method,
    url: urlOf(http.path),
    bodyLimit: maxBodyBytesOf(name),
    // Before the body is read: whoever may not call costs no more than this.
    onRequest: (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      const foreign = http.method === 'POST' ? refuseForeign(request) : null;
      if (foreign !== null) return void answer(reply, foreign);
      request.caller = callerOf(request, gate);
      const { id: requestId, caller } = request;
      const entry = gate.enter({ door: 'http', caller, operation: name, requestId, again: false });
      if (!entry.ok) return void answer(reply, entry.refusal);
      reply.raw.once('close', entry.leave);
      onEnter(reply);
      done();
    },
    handler: async (request, reply) => {
      const { id, caller, headers, params, query, body } = request;
      const traceparent = readTraceparent(headers);
      if (traceparent !== null) reply.header('traceparent', traceparent);

      const read = readHttpRequest(operation, id, { caller, headers, params, query, body: body ?? null });
      if (!read.ok) {
        log.info('refused at the http door', { request_id: id, operation: name, code: read.refusal.error.code });
        return answer(reply, read.refusal);
      }
      // The caller needs a key that was made up in order to repeat the request after a broken connection.
      reply.header('idempotency-key', read.value.messageId);
      const leaving = new AbortController();
      reply.raw.once('close', () => leaving.abort());
      const replied = await dispatch({ ...read.value, gone: leaving.signal });
      return answer(reply, showPhones(request, replied, name, log));
    },
  });
};

/**
 * Phone numbers leave for the console's page masked. Where it asks for them as they are, the log tells who has seen whose.
 */
const showPhones = (request: FastifyRequest, reply: Reply, operation: OperationName, log: Log): Reply => {
  const wish = request.headers[PHONES_HEADER];
  if (wish === undefined && !isByCookie(request)) return reply;
  if (wish !== 'shown') return maskPhones(reply);
  const accounts = [...new Set(JSON.stringify(reply).match(/(?<="account_id":")[^"]+/g))];
  log.info('phone numbers shown', { request_id: request.id, caller: request.caller, operation, accounts });
  return reply;
};

/** `/renew/{account_id}` of the contract as the router writes it: `…/renew/:account_id`. */
const urlOf = (path: string): string => PREFIX + path.replaceAll(/\{(\w+)\}/g, ':$1');
