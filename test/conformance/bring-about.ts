import type { Given } from '../../contracts/examples/example.js';
import type { OperationName, ReplyBody } from '../../contracts/operations.js';
import { telethonSession } from '../support/session-strings.js';
import type { OpenService } from './open-service.js';

/** Real values for an example's made-up ones, by the name of their field. */
export type Bindings = Readonly<Record<string, unknown>>;

let nextNumber = 7_000_000;
/** Services that have a report: a run of the job takes long, and one report will do. */
const reporting = new WeakMap<OpenService, Promise<unknown>>();

/** Sends a request over HTTP that must succeed. */
export async function succeed<K extends OperationName>(
  { send }: OpenService,
  operation: K,
  body: Record<string, unknown>,
): Promise<ReplyBody<K>> {
  const { reply } = await send('http', operation, body);
  if (!reply.success) throw new Error(`${operation}: ${JSON.stringify(reply.error)}`);
  return reply as unknown as ReplyBody<K>;
}

/** A user with one account, in the state given; answers what the placeholders of an example stand for. */
export async function bringAbout(open: OpenService, given: Given, serviceName: string): Promise<Bindings> {
  const userId = nextNumber++;
  const fresh = { user_id: userId, phone: `+${userId}`, session_data: telethonSession() };
  if (given === 'nothing') return fresh;
  if (given === 'report') {
    const reported = reporting.get(open) ?? succeed(open, 'admin.run-job', { job: 'report' });
    reporting.set(open, reported);
    await reported;
    return fresh;
  }

  const { accounts } = await succeed(open, 'admin.register', { accounts: [fresh] });
  const accountId = accounts[0]?.account_id;
  const free = { ...fresh, session_data: telethonSession(), account_id: accountId };
  if (given === 'free') return free;
  if (given === 'flood_wait' || given === 'needs_reauth') {
    const error_type = given === 'flood_wait' ? 'FLOOD_WAIT_300' : 'AUTH_KEY_UNREGISTERED';
    await succeed(open, 'account.error', { account_id: accountId, error_type });
    return free;
  }
  const wish = { user_id: userId, purpose: 'invite_campaign', service_name: serviceName };
  const { allocation } = await succeed(open, 'account.allocate', wish);
  const held = { ...free, lease_id: allocation.lease_id, fence: allocation.fence };
  if (given === 'held') return held;
  const { permit_id } = await succeed(open, 'action.acquire', {
    account_id: accountId,
    action_type: 'invite',
    target_channel_id: '@example_channel',
    service_name: serviceName,
    lease_id: held.lease_id,
  });
  return { ...held, permit_id };
}

/** The value with every bound field replaced, at any depth. */
export function bind(value: unknown, bindings: Bindings): unknown {
  if (Array.isArray(value)) return value.map((element) => bind(element, bindings));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      Object.hasOwn(bindings, key) ? bindings[key] : bind(inner, bindings),
    ]),
  );
}
