import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AccountManager,
  type AccountManagerEvent,
  AccountManagerError,
  type ActionType,
  type ConnectOptions,
  connectAccountManager,
  type HeldAccount,
} from '@account-manager/client';
import { expect } from '@jest/globals';
import { FloodWaitError } from 'telegram/errors/RPCErrorList.js';
import { RPCError } from 'telegram/errors/RPCBaseErrors.js';
import { eventually } from '../support/eventually.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import { manage } from '../support/vhost.js';
import type { Peer } from './peer.js';
import { connectOptionsOf, fill, hold, type Known, type Scenario, type Step } from './scenario.js';

/** Where a scenario is played. */
export interface Stage {
  /** Its URL leads to the broker. */
  network: TcpProxy;
  vhost: string;
  /** Absent where the real service answers. */
  peer?: Peer;
  known?: Known;
}

/** A client while it plays, and what it has seen. */
interface Play {
  stage: Stage;
  options: ConnectOptions;
  url: string;
  manager: AccountManager;
  /** Connections of the stage that were there before. */
  acceptedBefore: number;
  handled: AccountManagerEvent[];
  /** Events as the peer published them. */
  published: { id: string; subject?: string }[];
  users: string[];
  thrown: unknown;
}

/** Values that the steps of a body know. */
interface Scope {
  account?: HeldAccount;
  known: Known;
}

/** End of a list of steps: the value of `return`, or null. */
type Ended = { value: unknown } | null;

export async function playScenario(scenario: Scenario, stage: Stage): Promise<void> {
  await stage.peer?.begin(scenario);
  const options = connectOptionsOf(scenario);
  const { url } = stage.network;
  const acceptedBefore = stage.network.accepted();
  const manager = await connectAccountManager(url, options);
  const play: Play = {
    ...{ stage, options, url, manager, acceptedBefore },
    ...{ handled: [], published: [], users: [], thrown: null },
  };
  try {
    await playAll(play, scenario.client, { known: stage.known ?? {} });
  } finally {
    await stage.network.heal();
    await play.manager.close();
    for (const user of play.users) await manage('DELETE', `/api/users/${user}`);
  }
  stage.peer?.check();
}

async function playAll(play: Play, steps: readonly Step[], scope: Scope): Promise<Ended> {
  for (const step of steps) {
    if ('return' in step) return { value: step.return };
    await playStep(play, step, scope);
  }
  return null;
}

async function playStep(play: Play, step: Step, scope: Scope): Promise<void> {
  const beganAt = performance.now();
  const result = await perform(play, step, scope).then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const tookMs = performance.now() - beganAt;
  if (step.expect_error === undefined) {
    if ('error' in result) throw result.error;
  } else if (step.expect_error.thrown === true) {
    expect('error' in result).toBe(true);
    expect('error' in result && result.error === play.thrown).toBe(true);
  } else {
    const error = 'error' in result ? result.error : 'nothing was thrown';
    if (!(error instanceof AccountManagerError)) throw error;
    const { code, retryable, retryAfterMs, details, message } = error;
    const expected = { ...step.expect_error };
    if (typeof expected.message === 'string') expected.message = `${code}: ${expected.message}`;
    hold({ code, retryable, retry_after_ms: retryAfterMs, details, message }, expected, scope.known);
  }
  if (step.expect !== undefined) hold('value' in result && result.value, step.expect, scope.known);
  // Said with the step: which of many it was.
  const about = JSON.stringify({ ...step, do: undefined }).slice(0, 200);
  if (step.took_ms?.at_least !== undefined && tookMs < step.took_ms.at_least) throw new Error(`${tookMs} ms: ${about}`);
  if (step.took_ms?.at_most !== undefined && tookMs > step.took_ms.at_most) throw new Error(`${tookMs} ms: ${about}`);
}

async function perform(play: Play, step: Step, scope: Scope): Promise<unknown> {
  const { stage, manager } = play;
  const { known, account } = scope;
  if (step.call) {
    const { timeout_ms: timeoutMs, message_id: messageId } = step.options ?? {};
    return manager.call(step.call, fill(step.body, known), { timeoutMs, messageId });
  }
  if (step.with_account) {
    return manager.withAccount(fill(step.with_account, known), async (held) => {
      const ended = await playAll(play, step.do ?? [], { account: held, known: { ...known, held } });
      return ended?.value;
    });
  }
  if (step.act) {
    const perform = async () => (await playAll(play, step.do ?? [], scope))?.value;
    return account?.act(step.act as ActionType, step.channel ?? null, perform, { waitMs: step.wait_ms });
  }
  if (step.throw) {
    play.thrown = errorOf(step.throw);
    throw play.thrown;
  }
  if (step.until_lost) return untilLost(play, step, account!);
  if (step.sleep_ms !== undefined) return sleep(step.sleep_ms);
  if (step.network) return setNetwork(stage.network, step.network);
  if (step.subscribe) return subscribe(play, step);
  if (step.publish) {
    play.published.push(...step.publish);
    return stage.peer?.publish(step.publish);
  }
  if (step.handled ?? step.handled_types) return expectHandled(play, step);
  if (step.close) return manager.close();
  if (step.reopen) {
    await manager.close();
    play.manager = await connectAccountManager(play.url, play.options);
    return undefined;
  }
  if (step.connections !== undefined) {
    return expect(stage.network.accepted() - play.acceptedBefore).toBe(step.connections);
  }
  if (step.parallel) return Promise.all(step.parallel.map((steps) => playAll(play, steps, scope)));
  if (step.repeat !== undefined) return repeat(play, step, scope);
  if (step.connect_as) return connectAs(play, step.connect_as);
  throw new Error(`unknown step ${JSON.stringify(step)}`);
}

/** As GramJS throws them. */
function errorOf({ telegram, own }: NonNullable<Step['throw']>): Error {
  if (telegram === undefined) return new Error(own);
  const request = { className: 'messages.SendMessage' } as never;
  const [, seconds] = /^FLOOD_WAIT_(\d+)$/.exec(telegram.name) ?? [];
  return seconds === undefined
    ? new RPCError(telegram.name, request, telegram.code)
    : new FloodWaitError({ request, capture: Number(seconds) });
}

async function untilLost({ stage }: Play, step: Step, { signal }: HeldAccount): Promise<unknown> {
  const leaseEndsAt = stage.peer?.leaseEndsAt() ?? 0;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  if (step.before_lease_end) expect(Date.now()).toBeLessThan(leaseEndsAt);
  expect(signal.reason).toBeInstanceOf(AccountManagerError);
  const { code, details } = signal.reason as AccountManagerError;
  expect(code).toBe('LEASE_LOST');
  return { noticed_by: details.noticed_by };
}

function setNetwork(network: TcpProxy, how: NonNullable<Step['network']>): Promise<void> | void {
  switch (how) {
    case 'cut':
      return network.breakAll();
    case 'down':
      return network.cut();
    case 'silent':
      return network.blackhole();
    case 'up':
      return network.heal();
  }
}

async function subscribe(play: Play, { subscribe: types = [], queue, handler = {} }: Step): Promise<void> {
  const fails = new Map(Object.entries(handler.fails ?? {}));
  play.handled = [];
  const { handled } = play;
  await play.manager.subscribe(
    types,
    async (event) => {
      if (handler.hangs?.includes(event.id)) await new Promise(() => undefined);
      if (handler.takes_ms !== undefined) await sleep(handler.takes_ms);
      const left = fails.get(event.id) ?? 0;
      fails.set(event.id, left - 1);
      if (left > 0) throw new Error('the handler is told to fail');
      handled.push(event);
    },
    { queue },
  );
}

async function expectHandled({ handled, published }: Play, step: Step): Promise<void> {
  const expected = step.handled ?? step.handled_types ?? [];
  const of = (event: AccountManagerEvent): string => (step.handled ? event.id : event.type);
  await eventually('all are handled', () => handled.length >= expected.length, step.within_ms);
  await sleep(50); // one too many would come now
  const got = handled.map(of);
  if (step.handled) expect([...got].sort()).toEqual([...expected].sort());
  else expect(got).toEqual(expected);
  // Those of one account in the order in which they were published.
  const positions = new Map<string, number>();
  for (const event of step.handled ? handled : []) {
    const position = published.findIndex(({ id }) => id === event.id);
    expect(position).toBeGreaterThan(positions.get(event.subject ?? '') ?? -1);
    positions.set(event.subject ?? '', position);
  }
}

async function repeat(
  play: Play,
  { repeat: times = 0, at_once: atOnce = 1, do: steps = [] }: Step,
  scope: Scope,
): Promise<void> {
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun++ < times) await playAll(play, steps, scope);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function connectAs(play: Play, { rights, password }: NonNullable<Step['connect_as']>): Promise<void> {
  const user = `scenario-${randomUUID()}`;
  play.users.push(user);
  await manage('PUT', `/api/users/${user}`, { password: 'right', tags: '' });
  await manage('PUT', `/api/permissions/${play.stage.vhost}/${user}`, rights);
  const url = Object.assign(new URL(play.url), { username: user, password: password ?? 'right' });
  await play.manager.close();
  play.url = url.href;
  play.manager = await connectAccountManager(play.url, play.options);
}
