import { telethonSession } from '../support/session-strings.js';
import type { Caller } from './caller.js';

/** One round of what a caller does; answers how many requests it was. `worker` numbers callers from 0. */
export type Work = (caller: Caller, worker: number) => Promise<number>;

export const ECHO_QUEUE = 'bench.echo';
/** The queue of another form of the service. */
export const queueOf = (form: string, operation: string): string => `bench.${form}.${operation}`;

/** Users of the service under test, and those whose accounts another form of it has in memory. */
export const USERS = 10;
export const FIRST_USER = 910_000;
export const FIRST_SKETCH_USER = 920_000;

export type Holder = { account_id: string; lease_id: string; fence: number; service_name: string };

export const SERVICE = 'bench';
const NOTHING_USED = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };

/** Accounts that somebody holds as far as this process knows. */
const held = new Map<string, string>();
export const doubleGrants: string[] = [];

export async function succeed(caller: Caller, operation: string, body: object, queue?: string) {
  const reply = await caller.ask(operation, body, queue);
  if (reply.success !== true) throw new Error(`${operation}: ${JSON.stringify(reply)}`);
  return reply;
}

/** Registers accounts of `USERS` users, from the first on. */
export async function registerFleet(caller: Caller, firstUser: number, accounts: number): Promise<void> {
  for (let user = firstUser; user < firstUser + USERS; user++) {
    for (let from = 0; from < accounts; from += 250) {
      const chunk = Array.from({ length: Math.min(250, accounts - from) }, (_, index) => ({
        user_id: user,
        phone: `+${user}${String(from + index).padStart(6, '0')}`,
        session_data: telethonSession(),
      }));
      await succeed(caller, 'admin.register', { accounts: chunk });
    }
  }
}

async function allocate(caller: Caller, userId: number, queue?: string): Promise<Holder> {
  const wish = { user_id: userId, purpose: 'general', service_name: SERVICE };
  const { allocation } = await succeed(caller, 'account.allocate', wish, queue);
  const { account_id, lease_id, fence } = allocation as Holder;
  if (held.has(account_id)) doubleGrants.push(account_id);
  held.set(account_id, lease_id);
  return { account_id, lease_id, fence, service_name: SERVICE };
}

export async function release(caller: Caller, holder: Holder, queue?: string): Promise<void> {
  // It is free from the moment on at which the request arrives.
  held.delete(holder.account_id);
  await succeed(caller, 'account.release', { ...holder, usage_stats: NOTHING_USED }, queue);
}

const userOf = (worker: number): number => FIRST_USER + (worker % USERS);

const acquire = (caller: Caller, { account_id, ...holder }: Holder) =>
  succeed(caller, 'action.acquire', { account_id, ...holder, action_type: 'message' });

const check = (caller: Caller, { account_id }: Holder) =>
  succeed(caller, 'action.check', { account_id, action_type: 'message' });

async function acquireAndRecord(caller: Caller, holder: Holder): Promise<void> {
  const { permit_id } = await acquire(caller, holder);
  const { account_id, lease_id, service_name } = holder;
  await succeed(caller, 'action.record', { account_id, lease_id, service_name, action_type: 'message', permit_id });
}

/** 20 requests: 2 allocations, 12 to acquire and record, 2 releases, 1 error, 3 queries. */
async function mix(caller: Caller, worker: number): Promise<number> {
  const first = await allocate(caller, userOf(worker));
  for (let times = 0; times < 3; times++) await acquireAndRecord(caller, first);
  await check(caller, first);
  await release(caller, first);
  const second = await allocate(caller, userOf(worker));
  for (let times = 0; times < 3; times++) await acquireAndRecord(caller, second);
  await succeed(caller, 'account.error', { ...second, error_type: 'USER_PRIVACY_RESTRICTED' });
  await succeed(caller, 'query.health', { account_id: second.account_id });
  await check(caller, second);
  await release(caller, second);
  return 20;
}

/** The works that are measured, by name. */
export const WORKS = {
  echo: async (caller) => {
    await caller.ask('echo', {}, ECHO_QUEUE);
    return 1;
  },
  cycle: async (caller, worker) => {
    await release(caller, await allocate(caller, userOf(worker)));
    return 2;
  },
  acquire: async (caller, worker) => {
    const holder = await allocate(caller, userOf(worker));
    for (let times = 0; times < 3; times++) await acquire(caller, holder);
    await release(caller, holder);
    return 5;
  },
  check: async (caller, worker) => {
    const holder = await allocate(caller, userOf(worker));
    for (let times = 0; times < 8; times++) await check(caller, holder);
    await release(caller, holder);
    return 10;
  },
  mix,
  sketch: async (caller, worker) => {
    const queue = (operation: string) => queueOf('sketch', operation);
    const holder = await allocate(caller, FIRST_SKETCH_USER + (worker % USERS), queue('account.allocate'));
    await release(caller, holder, queue('account.release'));
    return 2;
  },
} satisfies Record<string, Work>;

export type WorkName = keyof typeof WORKS;

/** A session that fills usage in bulk does not touch each account by triggers, as the service's own do not. */
export const AS_SERVICE = '-c account_manager.keeps_versions=on';
