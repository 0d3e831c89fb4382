import type { Failure } from '../../contracts/failures.js';
import type { GivenBody, OperationName, ReplyBody } from '../../contracts/operations.js';
import { followClock } from './clock.js';
import { endSession, session } from './session.js';

/** Why something was not done; `UNREACHABLE` is the page's own word for a service that does not answer. */
export interface Trouble extends Omit<Failure, 'code'> {
  code: Failure['code'] | 'UNREACHABLE';
}

/** The service has refused, or could not be asked. */
class Refused extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble.message);
    this.trouble = trouble;
  }
}

const UNREACHABLE: Trouble = { code: 'UNREACHABLE', message: 'the service does not answer', retryable: true };

/** Asks for an operation as every caller does; throws `Refused`. */
export async function ask<K extends OperationName>(
  name: K,
  body: GivenBody<K>,
  { signal, showsPhones = false }: { signal?: AbortSignal; showsPhones?: boolean } = {},
): Promise<ReplyBody<K>> {
  const route = session.value?.operations[name];
  if (route === undefined) {
    throw new Refused({ code: 'FORBIDDEN', message: `${name} is not among the caller's operations`, retryable: false });
  }
  const fields = new Map(Object.entries(body).filter(([, value]) => value !== undefined && value !== null));
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    const value = String(fields.get(field));
    fields.delete(field);
    return encodeURIComponent(value);
  });
  const isGet = route.method === 'GET';
  const query = new URLSearchParams([...fields].map(([field, value]) => [field, String(value)] as [string, string]));
  return send<ReplyBody<K>>(isGet && fields.size > 0 ? `${path}?${query.toString()}` : path, {
    method: route.method,
    headers: { 'x-phones': showsPhones ? 'shown' : 'masked', ...(!isGet && JSON_BODY) },
    body: isGet ? undefined : JSON.stringify(Object.fromEntries(fields)),
    signal,
  });
}

export const JSON_BODY = { 'content-type': 'application/json' };

/** Sends a request to the service; throws `Refused`. */
export async function send<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(path, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new Refused(UNREACHABLE);
  });
  followClock(response.headers.get('date'));
  const reply = response.status === 204 ? {} : await readJson(response);
  if (response.ok) return reply as T;
  const trouble = (reply as { error?: Failure }).error ?? UNREACHABLE;
  if (trouble.code === 'UNAUTHENTICATED') endSession();
  throw new Refused(trouble);
}

const readJson = (response: Response): Promise<unknown> =>
  response.json().catch(() => {
    throw new Refused(UNREACHABLE);
  });

/** Turns any error into a `Trouble`. */
export const troubleOf = (error: unknown): Trouble =>
  error instanceof Refused ? error.trouble : { code: 'INTERNAL', message: String(error), retryable: false };
