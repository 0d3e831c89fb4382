import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { OPERATIONS, type OperationName } from '../../contracts/operations.js';
import type { Reply } from '../../src/requests/request.js';
import { createDatabase, openPool } from '../support/database.js';
import { createRedis } from '../support/redis.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

export const DOORS = ['amqp', 'http'] as const;
export type Door = (typeof DOORS)[number];

export interface SendOptions {
  /** null: none is sent; absent: a fresh one from the broker, none over HTTP. */
  messageId?: string | null;
  /** The `x-deadline`, as it is written. */
  deadline?: string;
  traceparent?: string;
  /** The caller's user, which the broker checks. */
  userId?: string;
  /** The caller's bearer token. */
  token?: string;
}

export interface Answered {
  reply: Reply;
  /** The failure code the envelope names; null where it names none. */
  codeHeader: string | null;
  /** The status of HTTP; null from the broker. */
  status: number | null;
  /** Headers of HTTP; absent from the broker. */
  headers?: Headers;
  /** The caller's trace, given back; null where it is not. */
  traceparent: string | null;
}

/** The whole service in a process of its own, with servers of its own, and both of its doors. */
export interface OpenService {
  service: RunningService;
  /** Environment variables that it was started with. */
  environment: Record<string, string>;
  rpc: RpcClient;
  vhost: TestVhost;
  redisUrl: string;
  /** Sends a body to an operation as a caller at that door would. */
  send: (
    door: Door,
    operation: OperationName,
    body: Record<string, unknown>,
    options?: SendOptions,
  ) => Promise<Answered>;
  query: <T extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<T[]>;
  close: () => Promise<void>;
}

export async function openService(env: Record<string, string> = {}): Promise<OpenService> {
  const [database, redis, vhost] = await Promise.all([createDatabase(), createRedis(), createVhost()]);
  const environment = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RABBITMQ_URL: vhost.url,
    RABBITMQ_MANAGEMENT_URL: vhost.managementUrl,
    LOG_LEVEL: 'warn',
    ...env,
  };
  const service = await startService(environment);
  const rpc = await connectRpc(vhost.url);
  const pool = openPool(database.url);

  const send: OpenService['send'] = (door, operation, body, options = {}) =>
    door === 'amqp' ? sendToBroker(rpc, operation, body, options) : sendOverHttp(service, operation, body, options);

  return {
    service,
    environment,
    rpc,
    vhost,
    redisUrl: redis.url,
    send,
    query: async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool.query<T>(sql, values)).rows,
    close: async () => {
      await rpc.close();
      await service.stop();
      await pool.end();
      await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
    },
  };
}

export async function sendToBroker(
  rpc: RpcClient,
  operation: OperationName,
  body: Record<string, unknown>,
  { messageId = randomUUID(), deadline, traceparent, userId }: SendOptions,
): Promise<Answered> {
  const headers = { ...(deadline && { 'x-deadline': deadline }), ...(traceparent && { traceparent }) };
  const { reply, message } = await rpc.ask(operation, body, { messageId: messageId ?? undefined, headers, userId });
  const answered = message.properties.headers ?? {};
  return {
    reply,
    codeHeader: answered['x-error-code'] ?? null,
    status: null,
    traceparent: answered.traceparent ?? null,
  };
}

export async function sendOverHttp(
  { httpUrl }: Pick<RunningService, 'httpUrl'>,
  operation: OperationName,
  body: Record<string, unknown>,
  { messageId, deadline, traceparent, token }: SendOptions,
): Promise<Answered> {
  const { method, path } = OPERATIONS[operation].http;
  const inPath = (name: string): boolean => path.includes(`{${name}}`);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(toText(body[name])));
  const fields = Object.entries(body).filter(([name]) => !inPath(name));
  const url = new URL(`/api/v1/account-manager${filled}`, httpUrl);
  if (method === 'GET') {
    for (const [name, value] of fields) url.searchParams.set(name, toText(value));
  }
  const response = await fetch(url, {
    method,
    headers: {
      ...(messageId && { 'idempotency-key': messageId }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(deadline && { 'x-deadline': deadline }),
      ...(traceparent && { traceparent }),
      ...(method === 'POST' && { 'content-type': 'application/json' }),
    },
    body: method === 'POST' ? JSON.stringify(Object.fromEntries(fields)) : undefined,
  });
  return {
    reply: (await response.json()) as Reply,
    codeHeader: response.headers.get('x-error-code'),
    status: response.status,
    headers: response.headers,
    traceparent: response.headers.get('traceparent'),
  };
}

/** A value as a URL has it. */
const toText = (value: unknown): string =>
  typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
