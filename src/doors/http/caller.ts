import type { FastifyRequest } from 'fastify';
import { CONSOLE_COOKIE } from '../../../contracts/console.js';
import type { FailureReply } from '../../../contracts/failures.js';
import { isOfAnotherSite } from '../../decide/access/judge-site.js';
import { refuse } from '../../requests/refuse.js';
import type { Gate } from '../gate.js';

/** The caller whose token a request carries: as a bearer's, else in the console's cookie; null for nobody's. */
export const callerOf = ({ headers, cookies }: FastifyRequest, gate: Gate): string | null =>
  gate.identify(headers.authorization ?? bearerOf(cookies[CONSOLE_COOKIE]));

/** Whether it is the console's page that asks, and no caller with a bearer token. */
export const isByCookie = ({ headers, cookies }: FastifyRequest): boolean =>
  headers.authorization === undefined && cookies[CONSOLE_COOKIE] !== undefined;

const bearerOf = (token: string | undefined): string | undefined => (token === undefined ? token : `Bearer ${token}`);

/** Refuses a change that a page of another site may have had a browser send; null where it is none. */
export function refuseForeign(request: FastifyRequest): FailureReply | null {
  const { headers } = request;
  // No browser adds it by itself.
  if (headers.authorization !== undefined) return null;
  const fetchSite = headers['sec-fetch-site'];
  const site = { fetchSite: fetchSite?.toString(), origin: headers.origin, host: headers.host };
  if (!isOfAnotherSite(site, isByCookie(request))) return null;
  return refuse('FORBIDDEN', { message: 'sec-fetch-site: must be same-origin, for a change without a bearer token' });
}
