import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { FailureReply } from '../../contracts/failures.js';
import { type Operation, OPERATIONS, type OperationName, type ReplyBody } from '../../contracts/operations.js';
import type { ServiceConnection } from './connection.js';
import { CommandError, EXIT, exitOf } from './exit.js';

/** The fields of a request as they are sent. */
export type Fields = Readonly<Record<string, unknown>>;

/** Asks the service over HTTP. */
export interface Client {
  connection: ServiceConnection;
  /** Rejects with `CommandError` where the service refuses or cannot be reached. A repeat under one `messageId` has no second effect. */
  ask: <K extends OperationName>(operation: K, fields: Fields, messageId?: string) => Promise<ReplyBody<K>>;
  /** The answer to a plain GET, whatever its status, such as of `/health/ready`. */
  get: (path: string) => Promise<{ status: number; body: unknown; date: string | null }>;
  /** Opens a response that does not end, below the operations' path; `ended` ends it. */
  open: (path: string, headers: Readonly<Record<string, string>>, ended: AbortSignal) => Promise<Response>;
}

const PREFIX = '/api/v1/account-manager';
const ANSWER_MS = 30_000;
/** Jobs, bulk work and parked messages may take the service a minute. */
const LONG_ANSWER_MS = 90_000;
/** An answer may get lost on the way; under its message id a request can be sent again. */
const MAX_SENT = 3;
const RESEND_AFTER_MS = 300;
/** A caller that asks too fast is told to wait; for longer than this the command does not. */
const MAX_REST_MS = 5_000;

/** `signal` aborts when the user interrupts the command. */
export function createClient(connection: ServiceConnection, signal: AbortSignal): Client {
  const { url, token } = connection;
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };

  const send = async (path: string, init: RequestInit): Promise<Response> => {
    try {
      // A redirect could lead the token elsewhere.
      return await fetch(`${url}${path}`, {
        ...init,
        redirect: 'manual',
        headers: { ...authorization, ...(init.headers as Record<string, string> | undefined) },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new Unsent(url, error);
    }
  };

  const askOnce = async (operation: Operation, fields: Fields, messageId: string): Promise<Answer> => {
    const { path, init } = toHttp(operation, fields, messageId);
    const timeoutMs = operation.changesState ? LONG_ANSWER_MS : ANSWER_MS;
    const response = await send(`${PREFIX}${path}`, {
      ...init,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return readAnswer(url, response, signal);
  };

  return {
    connection,
    ask: async (name, fields, messageId = randomUUID()) => {
      for (let sent = 1; ; sent++) {
        const isLast = sent === MAX_SENT;
        try {
          const answer = await askOnce(OPERATIONS[name], fields, messageId);
          if (answer.success) {
            const { success: _, ...reply } = answer;
            return reply as ReplyBody<typeof name>;
          }
          const { code, message, retry_after_ms: restMs } = answer.error;
          if (isLast || code !== 'UNAVAILABLE' || restMs === undefined || restMs > MAX_REST_MS) {
            throw new CommandError(exitOf(code), `${code}: ${message}`, code);
          }
          await pause(restMs, null, { signal });
        } catch (error) {
          if (!(error instanceof Unsent) || isLast || !error.mayBeResent) throw error;
          await pause(RESEND_AFTER_MS, null, { signal });
        }
      }
    },
    get: async (path) => {
      const response = await send(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) });
      const body: unknown = await response.json().catch(() => null);
      return { status: response.status, body, date: response.headers.get('date') };
    },
    open: (path, headers, ended) => send(`${PREFIX}${path}`, { signal: AbortSignal.any([signal, ended]), headers }),
  };
}

type Answer = ({ success: true } & Record<string, unknown>) | FailureReply;

/** No answer came. */
class Unsent extends CommandError {
  /** The connection was there and broke: whether the request was done is not known. */
  readonly mayBeResent: boolean;

  constructor(url: string, error: unknown) {
    const { cause, name } = error as Error & { cause?: { code?: string; message?: string } };
    const code = cause?.code ?? (name === 'TimeoutError' ? 'no answer in time' : (cause?.message ?? 'no answer'));
    super(EXIT.unreachable, `${url} cannot be reached (${code})`);
    this.mayBeResent = code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE';
  }
}

/** Reads the reply of an operation. Another body comes from something on the way, such as a proxy. */
export async function readAnswer(url: string, response: Response, signal: AbortSignal): Promise<Answer> {
  let answer: unknown;
  try {
    answer = JSON.parse(await response.text());
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyntaxError)) throw new Unsent(url, error);
  }
  if (typeof answer === 'object' && answer !== null && 'success' in answer) return answer as Answer;
  throw new CommandError(EXIT.unreachable, `${url} answers, but not as an account manager (HTTP ${response.status})`);
}

/** A request as the HTTP door takes it: path parameters in the path, the rest in the query string or the body. */
function toHttp({ http }: Operation, fields: Fields, messageId: string): { path: string; init: RequestInit } {
  const rest = new Map(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
  const path = http.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest.get(name));
    rest.delete(name);
    return encodeURIComponent(value);
  });
  if (http.method === 'POST') {
    const headers = { 'content-type': 'application/json', 'idempotency-key': messageId };
    return { path, init: { method: 'POST', headers, body: JSON.stringify(Object.fromEntries(rest)) } };
  }
  return { path: `${path}${toQuery(Object.fromEntries(rest))}`, init: { method: 'GET' } };
}

/** `?a=1&b=x,y`; empty where there is nothing. */
export function toQuery(fields: Fields): string {
  const query = new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]): [string, string][] =>
      value === undefined || value === null
        ? []
        : [[name, Array.isArray(value) ? value.join(',') : String(value as string | number | boolean)]],
    ),
  );
  return query.size === 0 ? '' : `?${query.toString()}`;
}
