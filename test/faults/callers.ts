import { setTimeout as pause } from 'node:timers/promises';
import type { OperationName } from '../../contracts/operations.js';
import type { Reply } from '../../src/requests/request.js';
import { openBus } from './bus.js';
import { type HttpCaller, openHttpCaller } from './http-caller.js';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';

/** Services that lease accounts, act with them and give them back, for as long as they are let. */
export interface Callers {
  /** Lets every turn come to its end; rejects when a request was never answered. */
  stop: () => Promise<void>;
  close: () => Promise<void>;
}

/** The last one calls over HTTP. */
const SERVICES = ['inviting', 'messaging', 'parsing', 'browsing'];
const WORKERS = 12;
const CHANNELS = ['@one', 'https://t.me/Two', '-1001234567890'];

/** Facts that a holder knows of its account. */
export type Holder = { account_id: string; service_name: string; lease_id: string; fence: number };

/** @param httpUrls of the processes that serve at present */
export function startCallers(
  url: string,
  httpUrls: () => string[],
  ledger: Ledger,
  userIds: readonly number[],
  random: Random,
): Callers {
  const urls = url.split(',');
  // In a cluster each begins with another node.
  const buses = SERVICES.slice(0, -1).map((_, index) => {
    const first = index % urls.length;
    return openBus([...urls.slice(first), ...urls.slice(0, first)].join(','), ledger);
  });
  const http = openHttpCaller(httpUrls, ledger);
  let stopping = false;
  const isStopping = () => stopping;
  const work = Array.from({ length: WORKERS }, async (_, index) => {
    const own = random.fork();
    const service = index % SERVICES.length;
    const caller = { askOnce: http.askOnce, ask: buses[service]?.ask ?? http.ask };
    while (!isStopping()) await takeTurn(caller, SERVICES[service] as string, userIds, own);
  });
  // A rejection is the business of who stops them.
  for (const worker of work) worker.catch(() => undefined);
  return {
    stop: async () => {
      stopping = true;
      await Promise.all(work);
    },
    close: async () => {
      await Promise.all(buses.map((bus) => bus.close()));
    },
  };
}

async function takeTurn(
  caller: HttpCaller,
  service: string,
  userIds: readonly number[],
  random: Random,
): Promise<void> {
  const reply = await caller.ask('account.allocate', {
    user_id: random.pick(userIds),
    purpose: 'general',
    service_name: service,
    timeout_minutes: random.between(1, 3),
    ...(random.chance(0.2) && { wait_ms: random.between(50, 1_000) }),
    ...(random.chance(0.3) && { target_channel_id: random.pick(CHANNELS) }),
  });
  if (!reply.success) {
    await pause(random.between(20, 100));
    return;
  }
  const { account_id, lease_id, fence } = reply.allocation as Omit<Holder, 'service_name'>;
  const holder: Holder = { account_id, lease_id, fence, service_name: service };
  const done = { invites: 0, messages: 0 };
  for (let acts = random.between(0, 4); acts > 0; acts--) await act(caller, holder, done, random);
  const usage = { invites_sent: done.invites, messages_sent: done.messages, success: random.chance(0.9) };
  await caller.ask(
    'account.release',
    // The predecessor's callers say who they are, and nothing of a lease.
    random.chance(0.8) ? { ...holder, usage_stats: usage } : { account_id, service_name: service, usage_stats: {} },
  );
}

/** One thing that a holder does; `done` counts what was allowed, for the report at the end. */
async function act(
  caller: HttpCaller,
  holder: Holder,
  done: { invites: number; messages: number },
  random: Random,
): Promise<void> {
  const ask = (operation: OperationName, body: Record<string, unknown>): Promise<Reply> =>
    caller.ask(operation, { ...holder, ...body });
  const kind = random.pick(['invite', 'message', 'message', 'parse', 'renew', 'error', 'impatience', 'check'] as const);
  switch (kind) {
    case 'invite':
    case 'message':
    case 'parse': {
      const channel = kind === 'invite' ? { target_channel_id: random.pick(CHANNELS) } : {};
      const verdict = await ask('action.acquire', { action_type: kind, ...channel });
      if (!verdict.success || verdict.allowed !== true) return;
      if (kind === 'invite') done.invites += 1;
      if (kind === 'message') done.messages += 1;
      if (random.chance(0.5)) {
        const { account_id, service_name } = holder;
        const settled = { permit_id: verdict.permit_id, action_type: kind, success: random.chance(0.8) };
        await caller.ask('action.record', { account_id, service_name, ...settled });
      }
      return;
    }
    case 'renew':
      await ask('account.renew', { timeout_minutes: random.between(1, 5) });
      return;
    case 'error':
      await ask('account.error', { error_type: random.pick(['network_error', 'USER_PRIVACY_RESTRICTED']) });
      return;
    case 'impatience':
      // The first answer has to be true where a request is never repeated.
      await caller.askOnce('account.renew', { ...holder, timeout_minutes: random.between(1, 5) });
      return;
    case 'check':
      await caller.ask('action.check', { account_id: holder.account_id, action_type: 'message' });
      return;
    default:
      kind satisfies never;
  }
}
