import { isDeepStrictEqual } from 'node:util';
import type { CloudEvent } from '../../contracts/events.js';
import type { Reply } from '../../src/requests/request.js';
import { finalReplyOf, isFinal, type Ledger, type LedgerRequest } from './ledger.js';
import type { World } from './world.js';

/**
 * One thing that must never be. I1: an account has two holders. I2: a limit is exceeded. I3: a confirmed request has
 * another number of effects than one, or no answer. I4: an event is lost, or out of order. I5: something does not drain.
 */
export interface Violation {
  invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'the fault itself';
  what: string;
}

/** How often an account may act: by action in an hour, and invite to one channel in a day. */
export interface Limits {
  hourly: Record<string, number>;
  channelDaily: number;
}

type Report = (invariant: Violation['invariant'], what: string) => void;
type Success = Extract<Reply, { success: true }>;

/** A lease as the table has it; instants in milliseconds. */
interface LeaseRow {
  id: string;
  account_id: string;
  fence: number;
  allocated_at: number;
  expires_at: number;
  ended_at: number | null;
  end_reason: string | null;
}

/** Compares what was seen from outside with the tables, for the accounts of some users. To be called when all is quiet. */
export async function judge(
  world: World,
  ledger: Ledger,
  userIds: readonly number[],
  limits: Limits,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const report: Report = (invariant, what) => void violations.push({ invariant, what });
  const requests = [...ledger.requests.values()];
  const accounts = (
    await world.query<{ id: string }>('SELECT id::text FROM telegram_sessions WHERE user_id = ANY($1)', [userIds])
  ).map(({ id }) => id);

  const leases = await world.query<LeaseRow>(
    `SELECT id::text, account_id::text, fence::int, end_reason,
       (extract(epoch FROM allocated_at) * 1000)::float8 AS allocated_at, (extract(epoch FROM expires_at) * 1000)::float8 AS expires_at,
       (extract(epoch FROM ended_at) * 1000)::float8 AS ended_at
     FROM leases WHERE account_id = ANY($1) ORDER BY account_id, fence`,
    [accounts],
  );
  judgeHolders(requests, leases, report);
  await judgeLimits(world, requests, accounts, limits.hourly, report);
  await judgeChannels(world, accounts, limits.channelDaily, report);
  await judgeEffects(world, requests, leases, report);
  await judgeEvents(world, ledger.events, accounts, leases, report);
  return violations;
}

const successesOf = (requests: readonly LedgerRequest[], operation: string) =>
  requests.flatMap((request) => {
    const reply = request.operation === operation ? finalReplyOf(request) : undefined;
    return reply?.success === true ? [{ request, reply }] : [];
  });
const grantOf = (reply: Success) =>
  reply.allocation as { account_id: string; lease_id: string; fence: number; allocated_at: string; expires_at: string };

/** I1: leases of an account follow each other, and nobody succeeds under a fence after a higher one was handed out. */
function judgeHolders(requests: readonly LedgerRequest[], leases: readonly LeaseRow[], report: Report): void {
  leases.forEach((lease, index) => {
    const next = leases[index + 1];
    if (next?.account_id !== lease.account_id) return;
    const end = lease.ended_at ?? Number.POSITIVE_INFINITY;
    if (end > next.allocated_at) {
      report('I1', `account ${lease.account_id}: fence ${lease.fence} overlaps fence ${next.fence}`);
    }
  });
  const handedOut = new Map<string, { fence: number; at: number }[]>();
  for (const { request, reply } of successesOf(requests, 'account.allocate')) {
    const { account_id: accountId, fence } = grantOf(reply);
    const at = request.answers.find((answer) => answer.reply.success)?.at ?? 0;
    const known = handedOut.get(accountId) ?? [];
    if (known.some((other) => other.fence === fence)) report('I1', `account ${accountId}: fence ${fence} given twice`);
    handedOut.set(accountId, [...known, { fence, at }]);
  }
  for (const request of requests) {
    const { account_id: accountId, fence } = request.body as { account_id?: string; fence?: number };
    if (accountId === undefined || fence === undefined || finalReplyOf(request)?.success !== true) continue;
    const firstSentAt = Math.min(...request.sentAt);
    const higher = handedOut.get(accountId)?.find((other) => other.fence > fence && other.at < firstSentAt);
    if (higher !== undefined) {
      report('I1', `${request.operation} under fence ${fence} succeeded after ${higher.fence} was handed out`);
    }
  }
}

/** I2: no more was allowed than the hour takes, as callers saw it and as it was counted; each action counted once. */
async function judgeLimits(
  { query }: World,
  requests: readonly LedgerRequest[],
  accounts: readonly string[],
  limits: Record<string, number>,
  report: Report,
): Promise<void> {
  const allowed = new Map<string, string[]>();
  for (const { request, reply } of successesOf(requests, 'action.acquire')) {
    if (reply.allowed !== true) continue;
    const key = `${String(request.body.account_id)} ${String(request.body.action_type)}`;
    allowed.set(key, [...(allowed.get(key) ?? []), String(reply.permit_id)]);
  }
  for (const [key, permits] of allowed) {
    const limit = limits[key.split(' ')[1] ?? ''] ?? Number.POSITIVE_INFINITY;
    if (permits.length > limit) report('I2', `${key}: ${permits.length} allowed of ${limit}`);
    if (new Set(permits).size < permits.length) report('I3', `${key}: one permit given twice`);
  }
  const counted = await query<{ key: string; ids: string[]; quantity: number; day_count: number | null }>(
    `SELECT c.account_id || ' ' || c.action_type AS key, array_agg(c.id::text) AS ids, min(w.day_count) AS day_count,
       coalesce(sum(c.quantity) FILTER (WHERE (c.counted_at AT TIME ZONE 'UTC')::date = w.day), 0)::int AS quantity
     FROM counted_actions c LEFT JOIN usage_windows w USING (account_id, action_type)
     WHERE c.account_id = ANY($1) GROUP BY 1`,
    [accounts],
  );
  const keys = new Set([...allowed.keys(), ...counted.map(({ key }) => key)]);
  for (const key of keys) {
    const row = counted.find((other) => other.key === key);
    const permits = new Set(allowed.get(key));
    const unknown = row?.ids.filter((id) => !permits.delete(id)) ?? [];
    if (unknown.length > 0) report('I3', `${key}: ${unknown.length} counted that nobody was allowed`);
    if (permits.size > 0) report('I3', `${key}: ${permits.size} allowed and not counted`);
    if (row !== undefined && row.quantity !== row.day_count) {
      report('I2', `${key}: the window says ${row.day_count}, the actions are ${row.quantity}`);
    }
  }
}

/** I2: a channel is invited to as often as it may be, and its counter says so. */
async function judgeChannels(
  { query }: World,
  accounts: readonly string[],
  limit: number,
  report: Report,
): Promise<void> {
  const channels = await query<{ key: string; most: number; invites: number; total: number | null }>(
    `SELECT d.account_id || ' ' || d.channel AS key, max(d.invites)::int AS most, sum(d.invites)::int AS invites,
       min(u.total)::int AS total
     FROM (
       SELECT account_id, action_type, channel, sum(quantity) AS invites FROM counted_actions
       WHERE account_id = ANY($1) AND action_type = 'invite'
       GROUP BY account_id, action_type, channel, (counted_at AT TIME ZONE 'UTC')::date
     ) d LEFT JOIN channel_usage u USING (account_id, action_type, channel)
     GROUP BY 1`,
    [accounts],
  );
  for (const { key, most, invites, total } of channels) {
    if (most > limit || invites !== total)
      report('I2', `${key}: ${invites} invites, ${most} in a day, counted ${total}`);
  }
}

/** With an allocation's answer it is stored what was asked for; callers are not told that. */
const asTold = ({ asked: _, ...reply }: Reply & { asked?: unknown }): Reply => reply;

/** I3: what was confirmed was answered, the same at every repeat, and had the one effect its answer tells. */
async function judgeEffects(
  { query }: World,
  requests: readonly LedgerRequest[],
  leases: readonly LeaseRow[],
  report: Report,
): Promise<void> {
  const stored = new Map(
    (
      await query<{ message_id: string; reply: Reply }>(
        'SELECT message_id::text, reply FROM answered_requests WHERE message_id = ANY($1)',
        [requests.map(({ messageId }) => messageId)],
      )
    ).map((row) => [row.message_id, row.reply]),
  );
  for (const { messageId, operation, answers, confirmed, repeats } of requests) {
    if (!repeats && stored.has(messageId) && answers.some(({ reply }) => saysNothingWasDone(reply))) {
      report('I3', `${operation} ${messageId}: was told that nothing was changed, and it was`);
    }
    const finals = answers.filter(({ reply }) => isFinal(reply)).map(({ reply }) => withoutSecrets(reply));
    const [first] = finals;
    if (first === undefined) {
      if (confirmed > 0) report('I3', `${operation} ${messageId}: confirmed and never answered`);
      continue;
    }
    if (operation === 'action.check') continue;
    const other = finals.find((reply) => !isDeepStrictEqual(reply, first));
    if (other !== undefined) report('I3', `${operation} ${messageId}: ${told(first)}, then ${told(other)}`);
    const kept = stored.get(messageId);
    if (kept === undefined) report('I3', `${operation} ${messageId}: answered and not stored`);
    else if (!isDeepStrictEqual(withoutSecrets(asTold(kept)), first)) {
      report('I3', `${operation} ${messageId}: answered ${told(first)}, stored ${told(kept)}`);
    }
  }

  const grants = successesOf(requests, 'account.allocate').map(({ reply }) => grantOf(reply).lease_id);
  compare(
    'leases',
    grants,
    leases.map(({ id }) => id),
    report,
  );
  const released = successesOf(requests, 'account.release').map(({ request, reply }) => {
    const { account_id: accountId } = request.body;
    return `${String(accountId)} ${String(reply.fence)}`;
  });
  const ended = leases.filter((lease) => lease.end_reason === 'released');
  compare(
    'releases',
    released,
    ended.map(({ account_id: id, fence }) => `${id} ${fence}`),
    report,
  );
}

/** Every promise kept once, and nothing done that nobody was promised. */
function compare(what: string, promised: readonly string[], done: readonly string[], report: Report): void {
  const left = new Set(done);
  for (const one of promised) if (!left.delete(one)) report('I3', `${what}: ${one} was answered and is not there`);
  for (const one of left) report('I3', `${what}: ${one} is there and was never answered`);
}

/** I4: the bus has had every event of the table, per account in order; and the table has one for each effect. */
async function judgeEvents(
  { query }: World,
  events: readonly CloudEvent[],
  accounts: readonly string[],
  leases: readonly LeaseRow[],
  report: Report,
): Promise<void> {
  const rows = await query<{ id: string; account_id: string; sequence: number; type: string; lease_id: string | null }>(
    `SELECT event_id::text AS id, account_id::text, sequence::int, type, data->>'lease_id' AS lease_id
     FROM events WHERE account_id = ANY($1) ORDER BY account_id, sequence`,
    [accounts],
  );
  for (const accountId of accounts) {
    const own = rows.filter((row) => row.account_id === accountId);
    if (own.some(({ sequence }, index) => sequence !== index + 1)) report('I4', `${accountId}: a gap in its sequence`);
    const firsts = new Map(
      events.filter(({ subject }) => subject === accountId).map(({ id, data }) => [id, data.sequence]),
    );
    const missing = own.filter(({ id }) => !firsts.has(id)).length;
    if (missing > 0) report('I4', `${accountId}: ${missing} of ${own.length} events never came`);
    if (firsts.size > own.length) report('I4', `${accountId}: ${firsts.size - own.length} events that no row tells of`);
    const order = [...firsts.values()];
    if (order.some((sequence, index) => index > 0 && Number(sequence) < Number(order[index - 1]))) {
      report('I4', `${accountId}: out of order: ${order.join(' ')}`);
    }
  }
  const told = (type: string) => rows.filter((row) => row.type === type).map((row) => String(row.lease_id));
  const ids = (which: (lease: LeaseRow) => boolean) => leases.filter(which).map(({ id }) => id);
  compareEvents(
    'account.allocated',
    told('account.allocated'),
    ids(() => true),
    report,
  );
  compareEvents(
    'account.released',
    told('account.released'),
    ids(({ end_reason: reason }) => reason === 'released'),
    report,
  );
  compareEvents(
    'account.lease_expired',
    told('account.lease_expired'),
    ids(({ end_reason: reason }) => reason === 'expired'),
    report,
  );
}

function compareEvents(type: string, told: readonly string[], leases: readonly string[], report: Report): void {
  if (!isDeepStrictEqual([...told].sort(), [...leases].sort())) {
    report('I4', `${type}: ${told.length} events for ${leases.length} leases`);
  }
}

const saysNothingWasDone = (reply: Reply): boolean =>
  !reply.success && reply.error.code === 'UNAVAILABLE' && reply.error.details?.outcome !== 'unknown';

/**
 * I1, where the database has forgotten what it promised: by what callers were told and sent, nobody is granted an
 * account while another lives by his lease of it. Instants of replies, so that nothing has to be agreed between clocks.
 */
export function judgeForgetful({ requests }: Ledger, userIds: readonly number[]): Violation[] {
  const wishes = [...requests.values()].filter(({ body }) => userIds.includes(Number(body.user_id)));
  const grants = successesOf(wishes, 'account.allocate').map(({ request, reply }) => {
    const { account_id: accountId, lease_id: leaseId, expires_at: end, allocated_at: begin } = grantOf(reply);
    const from = request.answers.find((answer) => answer.reply.success)?.at ?? 0;
    return { accountId, leaseId, from, to: from + Date.parse(end) - Date.parse(begin) };
  });
  const holds = grants.map((grant) => {
    const releases = [...requests.values()].filter(
      ({ operation, body, sentAt: [sent = 0] }) =>
        operation === 'account.release' && body.account_id === grant.accountId && sent >= grant.from,
    );
    return { ...grant, to: Math.min(grant.to, ...releases.map(({ sentAt: [sent = 0] }) => sent)) };
  });
  return holds.flatMap((hold) =>
    holds
      .filter(
        (other) =>
          other.leaseId !== hold.leaseId &&
          other.accountId === hold.accountId &&
          hold.from <= other.from &&
          other.from < hold.to,
      )
      .map(() => ({ invariant: 'I1' as const, what: `account ${hold.accountId}: granted while another held it` })),
  );
}

/** A reply without what a repeat may lack or add: sessions, phone numbers, metadata, and that the lease is over. */
function withoutSecrets(reply: Reply): unknown {
  if (!reply.success || !('allocation' in reply)) return reply;
  const { ended_at: _, ...allocation } = reply.allocation as Record<string, unknown>;
  return { ...reply, allocation: { ...allocation, phone: '', session_data: null, metadata: {} } };
}

const told = (reply: unknown): string => JSON.stringify(reply).slice(0, 160);
