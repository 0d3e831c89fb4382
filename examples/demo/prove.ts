// Judges a history by itself: nothing here is shared with the service, so that a fault of the service shows.
// Every function returns what it finds wrong, in words; nothing wrong is an empty list. Instants are epoch milliseconds.

/** The limits of one action, as the limits file has them. */
export interface ActionLimits {
  cooldown_seconds: number | null;
  burst_limit: number | null;
  burst_cooldown_seconds: number | null;
  hourly_limit: number | null;
  daily_limit: number | null;
  per_channel_daily: number | null;
  per_channel_total: number | null;
}

/** That an account may do, or did, one thing at an instant. */
export interface Permit {
  account: string;
  type: string;
  channel: string | null;
  at: number;
}

/** An action of an account. */
export interface Action extends Permit {
  /** How long before `at` it had been permitted. */
  underWayMs: number;
}

export interface Lease {
  account: string;
  leaseId: string;
  fence: number;
  from: number;
  /** Null: not ended. */
  until: number | null;
}

export interface Wait {
  account: string;
  from: number;
  /** Infinity: until an operator acts. */
  until: number;
}

/** That an account was active again after a wait. */
export interface Recovery {
  account: string;
  /** The end that was last told of its wait; null: none was. */
  promisedAt: number | null;
  recoveredAt: number;
  /** When it was on the bus. */
  arrivedAt: number;
}

/** A word about an alert. */
export interface AlertWord {
  alertId: string;
  state: string;
}

export interface StoredEvent {
  id: string;
  account: string | null;
  sequence: number | null;
}

const HOUR_MS = 3_600_000;

/** No two leases of one account at a time, each ended, and each fence one above the one before. */
export function findDoubleLeases(leases: readonly Lease[]): string[] {
  return [...groupBy(leases, ({ account }) => account)].flatMap(([account, own]) => {
    const ordered = own.toSorted((a, b) => a.fence - b.fence);
    return ordered.flatMap((lease, index) => {
      const before = ordered[index - 1];
      if (lease.until === null) return [`${account}: lease ${lease.leaseId} was not ended`];
      if (before === undefined) return [];
      if (before.until === null || lease.from < before.until)
        return [`${account}: held twice at ${toTime(lease.from)}`];
      return lease.fence === before.fence + 1
        ? []
        : [`${account}: fence ${before.fence} was followed by ${lease.fence}`];
    });
  });
}

/**
 * Every action within every limit, by counting again from nothing. Limits are judged when an action is permitted. The
 * time that the earlier action was under way is taken off a pause. An action counts on the date of its permit.
 */
export function findExceededLimits(
  actions: readonly Action[],
  limits: Readonly<Record<string, ActionLimits>>,
): string[] {
  return [...groupBy(actions, ({ account, type }) => `${account} ${type}`)].flatMap(([name, own]) => {
    const ordered = own.toSorted((a, b) => a.at - b.at);
    const limit = limits[ordered[0]?.type ?? ''];
    if (limit === undefined) return [`${name}: no limits are known for it`];
    let burst = 0;
    return ordered.flatMap((action, index) => {
      const until = ordered.slice(0, index + 1);
      const before = ordered[index - 1];
      const pauseSeconds = before === undefined ? Infinity : (action.at - before.at + before.underWayMs) / 1000;
      burst = pauseSeconds < (limit.burst_cooldown_seconds ?? 0) ? burst + 1 : 1;
      const inChannel = until.filter(({ channel }) => action.channel !== null && channel === action.channel);
      const today = (other: Action) => dateOf(other) === dateOf(action);
      const counts = [
        ['hourly', until.filter(({ at }) => at > action.at - HOUR_MS).length, limit.hourly_limit],
        ['daily', until.filter(today).length, limit.daily_limit],
        ['per channel daily', inChannel.filter(today).length, limit.per_channel_daily],
        ['per channel total', inChannel.length, limit.per_channel_total],
        ['burst', burst, limit.burst_limit],
      ] as const;
      return [
        ...counts.flatMap(([rule, used, most]) =>
          most !== null && used > most ? [`${name}: ${rule} ${used} of ${most} at ${toTime(action.at)}`] : [],
        ),
        ...(pauseSeconds < (limit.cooldown_seconds ?? 0)
          ? [`${name}: cooldown ${pauseSeconds} s of ${limit.cooldown_seconds} s at ${toTime(action.at)}`]
          : []),
      ];
    });
  });
}

/** Nobody acted with an account, nor connected it, while it waited. */
export function findActsInWaits(acts: readonly { account: string; at: number }[], waits: readonly Wait[]): string[] {
  return acts.flatMap(({ account, at }) =>
    waits
      .filter((wait) => wait.account === account && at > wait.from && at < wait.until)
      .map(() => `${account}: acted at ${toTime(at)}, during its wait`),
  );
}

/** No account recovered before the end that was told of its wait, and each was on the bus soon after it. */
export function findUntimelyRecoveries(recoveries: readonly Recovery[], mostMs: number): string[] {
  return recoveries.flatMap(({ account, promisedAt, recoveredAt, arrivedAt }) => {
    if (promisedAt === null) return [`${account}: recovered at ${toTime(recoveredAt)} from nothing that was to end`];
    if (recoveredAt < promisedAt) return [`${account}: recovered ${promisedAt - recoveredAt} ms too early`];
    return arrivedAt - promisedAt > mostMs ? [`${account}: recovered ${arrivedAt - promisedAt} ms late`] : [];
  });
}

/** Every alert is told to be raised, once; those that are not open any more are then told to be resolved, once. */
export function findAlertFaults(words: readonly AlertWord[], open: ReadonlySet<string>): string[] {
  return [...groupBy(words, ({ alertId }) => alertId)].flatMap(([alertId, own]) => {
    const told = own.map(({ state }) => state).join(', ');
    const expected = open.has(alertId) ? 'raised' : 'raised, resolved';
    return told === expected ? [] : [`alert ${alertId}: ${told} in place of ${expected}`];
  });
}

/** Two counts of the same things, by their names: where they differ. */
export function findDifferences(found: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>) {
  return [...new Set([...Object.keys(found), ...Object.keys(expected)])].flatMap((name) => {
    const [is = 0, ought = 0] = [found[name], expected[name]];
    return is === ought ? [] : [`${name}: ${is} in place of ${ought}`];
  });
}

/**
 * The events as stored number each account's from 1 without a gap, and the same events arrived on the bus, each
 * account's in order; `received` without repeats.
 */
export function findLostEvents(stored: readonly StoredEvent[], received: readonly StoredEvent[]): string[] {
  const arrived = new Set(received.map(({ id }) => id));
  const known = new Set(stored.map(({ id }) => id));
  return [
    ...stored.filter(({ id }) => !arrived.has(id)).map(({ id }) => `event ${id} did not arrive on the bus`),
    ...received.filter(({ id }) => !known.has(id)).map(({ id }) => `event ${id} is not in the table`),
    ...findGaps(stored, 'the table'),
    ...findGaps(received, 'the bus'),
  ];
}

function findGaps(events: readonly StoredEvent[], where: string): string[] {
  return [...groupBy(events, ({ account }) => account)].flatMap(([account, own]) =>
    own.flatMap(({ sequence }, index) =>
      account === null || sequence === index + 1
        ? []
        : [`${account}: sequence ${sequence} in place ${index + 1} in ${where}`],
    ),
  );
}

/** The permits that the actions used, one each. An action without a permit, or with a later one, is a problem. */
export function matchPermits(
  calls: readonly Permit[],
  permits: readonly Permit[],
): { actions: Action[]; problems: string[] } {
  const keyOf = ({ account, type, channel }: Permit) => `${account} ${type} ${channel ?? ''}`;
  const byAt = (a: Permit, b: Permit) => a.at - b.at;
  const unused = groupBy(permits.toSorted(byAt), keyOf);
  const problems: string[] = [];
  const actions = calls.toSorted(byAt).map((call) => {
    const permit = unused.get(keyOf(call))?.shift();
    if (permit === undefined) problems.push(`${keyOf(call)}: done at ${toTime(call.at)} without a permit`);
    else if (permit.at > call.at) problems.push(`${keyOf(call)}: done at ${toTime(call.at)} before its permit`);
    return { ...call, underWayMs: permit === undefined ? 0 : call.at - permit.at };
  });
  for (const [key, left] of unused)
    if (left.length > 0) problems.push(`${key}: ${left.length} permits without an action`);
  return { actions, problems };
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** The UTC date on which an action was permitted. */
export const dateOf = ({ at, underWayMs }: Action): string => new Date(at - underWayMs).toISOString().slice(0, 10);
const toTime = (at: number): string => new Date(at).toISOString().slice(11, 23);
