import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { DEFAULT_LIMITS, type LimitsPolicy } from '../../src/decide/limits/limits-policy.js';
import type { Dispatch, Reply } from '../../src/requests/request.js';
import * as oracle from '../support/account-oracle.js';
import { letLeaseEnd, letUsageAge, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';

const invite = {
  cooldownSeconds: null,
  burstLimit: null,
  burstCooldownSeconds: null,
  hourlyLimit: oracle.ORACLE_LIMITS.hourly,
  dailyLimit: oracle.ORACLE_LIMITS.daily,
  perChannelDaily: oracle.ORACLE_LIMITS.channelDaily,
  perChannelTotal: oracle.ORACLE_LIMITS.channelTotal,
};
const policy: LimitsPolicy = { ...DEFAULT_LIMITS, invite };

const ACCOUNTS = 3;
/** Sequences that run beside each other, so that their requests meet in batches; each has accounts of its own. */
const BESIDE = 12;
const RUNS = 9;
const TIME_LIMIT_MS = 20_000;

let harness: OperationsHarness;
let processes: Dispatch[];
const fleets: { user: number; ids: string[] }[] = [];

beforeAll(async () => {
  harness = await startOperations({ policy });
  processes = [harness.dispatch, harness.another()];
  // Shrinking needs some more, one after the other.
  await Promise.all(Array.from({ length: RUNS * BESIDE }, addFleet));
});
afterAll(() => harness.close());

async function addFleet(): Promise<void> {
  const user = newUser();
  fleets.push({ user, ids: await harness.registerAccounts(user, ACCOUNTS) });
}

const account = fc.nat(ACCOUNTS - 1);
const claim = fc.constantFrom<oracle.Claim>('holder', 'holder', 'holder', 'service', 'stale', 'stranger');
const claimByLease = fc.constantFrom<oracle.Claim>('holder', 'holder', 'stale');
const channel = fc.constantFrom('foo', 'bar', null);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('allocate' as const),
      channel,
      preferred: fc.option(account),
      require: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('acquire' as const), account, claim, channel }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('record' as const), account, channel }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      account,
      claim,
      invites: fc.nat(4),
      split: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), account, claim: claimByLease }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('error' as const),
      account,
      claim,
      error: fc.constantFrom('FLOOD_WAIT_300', 'PEER_FLOOD', 'USER_PRIVACY_RESTRICTED', 'USER_DEACTIVATED_BAN'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lease ends' as const), account }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('waits end' as const), account }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('a day passes' as const), account }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A user with a few accounts, and what the oracle knows of them. */
interface Fleet {
  user: number;
  ids: string[];
  accounts: oracle.OracleAccount[];
  /** The lease each account had last, for stale claims. */
  latest: (oracle.OracleLease | undefined)[];
  send: (operation: Parameters<typeof requestOf>[0], body: Record<string, unknown>) => Promise<Reply>;
}

const codeOf = (reply: Reply): string => (reply.success ? 'success' : reply.error.code);

/** Fields of a request that name the holder. */
function say(fleet: Fleet, index: number, as: oracle.Claim): Record<string, unknown> {
  const lease = fleet.accounts[index]?.lease ?? fleet.latest[index] ?? { leaseId: randomUUID(), fence: 1 };
  switch (as) {
    case 'holder':
      return { service_name: 'one', lease_id: lease.leaseId, fence: lease.fence };
    case 'service':
      return { service_name: 'one' };
    case 'stale':
      return { service_name: 'one', lease_id: lease.leaseId, fence: lease.fence - 1 };
    case 'stranger':
      return { service_name: 'two' };
    default:
      return as satisfies never;
  }
}

async function allocate(fleet: Fleet, wish: Extract<Step, { kind: 'allocate' }>): Promise<void> {
  const suits = (candidate: oracle.OracleAccount) =>
    candidate.lease === null && oracle.isAble(candidate) && oracle.hasRoom(candidate, wish.channel);
  const preferred = wish.preferred === null ? undefined : fleet.accounts[wish.preferred];
  const reply = await fleet.send('account.allocate', {
    user_id: fleet.user,
    purpose: 'invite_campaign',
    service_name: 'one',
    target_channel_id: wish.channel,
    preferred_account_id: wish.preferred === null ? null : fleet.ids[wish.preferred],
    preferred_mode: wish.require ? 'require' : 'prefer',
    include_session: false,
  });
  if (!reply.success) {
    expect(codeOf(reply)).toBe(expectedRefusal());
    return;
  }
  const {
    account_id,
    lease_id: leaseId,
    fence,
  } = reply.allocation as Record<'account_id' | 'lease_id', string> & {
    fence: number;
  };
  const chosen = fleet.accounts[fleet.ids.indexOf(account_id)];
  if (chosen === undefined) throw new Error('an account of another user was granted');
  expect(suits(chosen)).toBe(true);
  if (preferred !== undefined && suits(preferred)) expect(chosen).toBe(preferred);
  expect(fence).toBe(chosen.fence + 1);
  chosen.fence = fence;
  chosen.lease = { leaseId, fence, channel: wish.channel, counted: new Map() };
  fleet.latest[fleet.ids.indexOf(account_id)] = chosen.lease;

  function expectedRefusal(): string {
    if (fleet.accounts.some((candidate) => suits(candidate) && (!wish.require || preferred === undefined)))
      return 'a grant';
    if (wish.require && preferred !== undefined) return suits(preferred) ? 'a grant' : 'PREFERRED_UNAVAILABLE';
    const able = fleet.accounts.filter(oracle.isAble);
    if (able.some(({ lease }) => lease !== null)) return 'ALL_BUSY';
    return able.length > 0 ? 'ALL_LIMITED' : 'ALL_RESTRICTED';
  }
}

async function take(fleet: Fleet, next: Step): Promise<void> {
  if (next.kind === 'allocate') return allocate(fleet, next);
  const account_id = fleet.ids[next.account] ?? '';
  const model = fleet.accounts[next.account] ?? oracle.newAccount();
  switch (next.kind) {
    case 'acquire': {
      const target_channel_id = next.channel;
      const body = { account_id, action_type: 'invite', target_channel_id, ...say(fleet, next.account, next.claim) };
      const reply = await fleet.send('action.acquire', body);
      const refusal = oracle.refusalOf(model, next.claim);
      expect(codeOf(reply)).toBe(refusal ?? 'success');
      if (!reply.success) return;
      const allowed = oracle.isAble(model) && oracle.hasRoom(model, next.channel);
      expect(reply.allowed).toBe(allowed);
      if (allowed) oracle.act(model, next.channel);
      return;
    }
    case 'record': {
      const body = { account_id, action_type: 'invite', target_channel_id: next.channel };
      expect(codeOf(await fleet.send('action.record', body))).toBe('success');
      oracle.act(model, next.channel);
      return;
    }
    case 'release': {
      const split = next.split ? { foo: next.invites, bar: 1 } : null;
      const invites_sent = split === null ? next.invites : next.invites + 1;
      const usage_stats = { invites_sent, messages_sent: 0, contacts_added: 0, success: true, channel_usage: split };
      const reply = await fleet.send('account.release', {
        account_id,
        ...say(fleet, next.account, next.claim),
        usage_stats,
      });
      expect(codeOf(reply)).toBe(oracle.refusalOf(model, next.claim) ?? 'success');
      if (reply.success) expect(reply.counted).toMatchObject({ invites: oracle.release(model, invites_sent, split) });
      return;
    }
    case 'renew': {
      const reply = await fleet.send('account.renew', { account_id, ...say(fleet, next.account, next.claim) });
      expect(codeOf(reply)).toBe(oracle.refusalOf(model, next.claim) ?? 'success');
      return;
    }
    case 'error': {
      const body = { account_id, ...say(fleet, next.account, next.claim), error_type: next.error };
      const reply = await fleet.send('account.error', body);
      expect(codeOf(reply)).toBe(oracle.refusalOfReport(model, next.claim) ?? 'success');
      if (!reply.success) return;
      if (next.error === 'FLOOD_WAIT_300') model.flood = true;
      if (next.error === 'PEER_FLOOD') model.blocked = true;
      if (next.error === 'USER_DEACTIVATED_BAN') model.disabled = true;
      expect(reply.result).toMatchObject({ new_status: oracle.statusOf(model) });
      return;
    }
    case 'lease ends':
      await letLeaseEnd(harness, account_id);
      model.lease = null;
      return;
    case 'waits end':
      await harness.query(
        `UPDATE telegram_sessions SET flood_wait_until = flood_wait_until - interval '30 days',
           blocked_until = blocked_until - interval '30 days' WHERE id = $1`,
        [account_id],
      );
      model.flood = false;
      model.blocked = false;
      return;
    case 'a day passes':
      await letUsageAge(harness, account_id, '1 day');
      oracle.letDayPass(model);
      return;
    default:
      next satisfies never;
  }
}

/** Compares what the database holds of the fleet's accounts with what the oracle remembers. */
async function compare(fleet: Fleet): Promise<void> {
  const rows = await harness.query<Record<string, unknown> & { id: string }>(
    `SELECT s.id, s.fence::int, s.event_sequence::int AS sequence,
       CASE WHEN s.status IN ('flood_wait', 'blocked') AND GREATEST(s.flood_wait_until, s.blocked_until) <= now()
         THEN 'active' ELSE s.status::text END AS status,
       (SELECT array_agg(l.id) FROM leases l WHERE l.account_id = s.id AND l.ended_at IS NULL AND l.expires_at > now()) AS open,
       (SELECT count(*)::int FROM leases l WHERE l.account_id = s.id) AS grants,
       (SELECT ARRAY[count(*)::int, max(e.sequence)::int] FROM events e WHERE e.account_id = s.id) AS events,
       COALESCE((SELECT sum(w.day_count)::int FROM usage_windows w WHERE w.account_id = s.id AND w.day = CURRENT_DATE), 0) AS today,
       (SELECT count(*)::int FROM usage_windows w, unnest(w.recent) AS at WHERE w.account_id = s.id AND at > now() - interval '1 hour') AS hour,
       COALESCE((SELECT jsonb_object_agg(c.channel, jsonb_build_array(CASE WHEN c.day = CURRENT_DATE THEN c.day_count ELSE 0 END, c.total))
         FROM channel_usage c WHERE c.account_id = s.id), '{}') AS channels
     FROM telegram_sessions s WHERE s.user_id = $1`,
    [fleet.user],
  );
  const remembered = fleet.accounts.map((model, index) => ({
    id: fleet.ids[index],
    fence: model.fence,
    grants: model.fence,
    status: oracle.statusOf(model),
    open: model.lease === null ? null : [model.lease.leaseId],
    today: model.today,
    hour: model.hour,
    channels: Object.fromEntries(
      [...model.channels].flatMap(([name, { today, ever }]) => (ever > 0 ? [[name, [today, ever]]] : [])),
    ),
  }));
  const found = fleet.ids.map((id) => rows.find((row) => row.id === id));
  expect(found).toEqual(
    remembered.map((expected, index) => {
      const sequence = found[index]?.sequence;
      return { ...expected, sequence, events: [sequence, sequence] };
    }),
  );
}

async function run(steps: Step[], process: Dispatch): Promise<void> {
  if (fleets.length === 0) await addFleet();
  const { user, ids } = fleets.pop() ?? { user: 0, ids: [] };
  const send: Fleet['send'] = (operation, body) => process(requestOf(operation, body));
  const fleet: Fleet = { user, ids, accounts: ids.map(oracle.newAccount), latest: [], send };
  for (const next of steps) {
    await take(fleet, next);
    await compare(fleet);
  }
}

test('whatever happens in whatever order, the database holds what a simple account remembers', async () => {
  const sequence = fc.array(step, { minLength: 20, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(fc.array(sequence, { minLength: BESIDE, maxLength: BESIDE }), async (sequences) => {
      await Promise.all(sequences.map((steps, index) => run(steps, processes[index % 2] ?? harness.dispatch)));
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS, endOnFailure: false },
  );
});
