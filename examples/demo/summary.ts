import { isDeepStrictEqual } from 'node:util';
import type { LedgerEntry } from '../telegram-simulator.js';
import type { ReceivedEvent } from './events.js';
import type { Counts, Figures, History } from './history.js';
import type { Report } from './operate.js';
import {
  type Action,
  type ActionLimits,
  dateOf,
  findActsInWaits,
  findAlertFaults,
  findDifferences,
  findDoubleLeases,
  findExceededLimits,
  findLostEvents,
  findUntimelyRecoveries,
  matchPermits,
  type StoredEvent,
} from './prove.js';
import { describeCounts, paint } from './view.js';

interface Proof {
  claim: string;
  /** How much was judged: a claim about nothing proves nothing. */
  judged: number;
  problems: string[];
}

/** Everything a run leaves behind. */
export interface Evidence {
  history: History;
  ledger: LedgerEntry[];
  /** Every event as stored, and as it has arrived. */
  events: StoredEvent[];
  received: ReceivedEvent[];
  openAlerts: Set<string>;
  /** The same report over the bus and over HTTP. */
  report: { bus: Report | null; http?: Report | null | undefined };
  midnight: Midnight;
  limits: Readonly<Record<string, ActionLimits>>;
}

/** Observations before and after a midnight. */
export interface Midnight {
  day: string;
  /** Usage of the new day's limits, before the reset had run. */
  used: number;
  /** Counts that the reset has archived, by `<account> <action>`. */
  archive: Counts;
  /** Sum of the day's counters after the reset; sums of the channels' counters before and after it. */
  ofTheDay: number;
  forEver: [before: number, after: number];
}

/** The limits' names for what Telegram was asked. */
const ACTION_TYPES: Readonly<Record<string, string>> = {
  'channels.inviteToChannel': 'invite',
  'channels.joinChannel': 'join_channel',
  'channels.getParticipants': 'parse',
  'messages.sendMessage': 'message',
};
const SHOWN_PROBLEMS = 5;
/** A wait that is over has ended on the bus within this. */
const RECOVERED_WITHIN_MS = 2_000;

/** Judges the evidence: what the service wrote down, what Telegram saw, and what arrived on the bus. */
export function prove({ history, ledger, events, received, limits, ...evidence }: Evidence): Proof[] {
  const acts = ledger
    .filter(({ event }) => event !== 'close')
    .map((entry) => ({ ...entry, account: history.accountIds.get(entry.phone) ?? entry.phone }));
  const calls = acts
    .filter(({ event }) => event !== 'connect')
    .map(({ event, account, channel = null, at }) => ({ account, type: ACTION_TYPES[event] ?? event, channel, at }));
  const connections = acts.filter(({ event }) => event === 'connect');
  const { actions, problems } = matchPermits(calls, history.permits);
  const arrived = received.map(({ id, subject = null, data: { sequence = null } }) => ({
    id,
    account: subject,
    sequence,
  }));
  return [
    {
      claim: `no account held twice: ${history.leases.length} leases in the event history, none of one account overlap`,
      judged: history.leases.length,
      problems: findDoubleLeases(history.leases),
    },
    {
      claim: `nor seen twice by Telegram: ${connections.length} connections, no session in use elsewhere`,
      judged: connections.length,
      problems: connections
        .filter(({ error }) => error === 'AUTH_KEY_DUPLICATED')
        .map(({ account }) => `${account}: connected twice`),
    },
    {
      claim: `every one of the ${calls.length} actions that Telegram saw had a permit of its own before`,
      judged: calls.length,
      problems,
    },
    {
      claim: 'no limit exceeded, by the instants of the permits',
      judged: history.permits.length,
      problems: findExceededLimits(
        history.permits.map((permit) => ({ ...permit, underWayMs: 0 })),
        limits,
      ),
    },
    {
      claim: `no limit exceeded, by the instants at which Telegram saw the actions (${range(actions.map(({ underWayMs }) => underWayMs))} ms after their permits)`,
      judged: actions.length,
      problems: findExceededLimits(actions, limits),
    },
    {
      claim: `no account used in its wait, its block or its ban: ${history.waits.length} of them`,
      judged: history.waits.length,
      problems: findActsInWaits(acts, history.waits),
    },
    {
      claim: `events on the bus = events in the table: ${events.length}, each account's in order and without a gap`,
      judged: events.length,
      problems: findLostEvents(events, arrived),
    },
    proveRecoveries(history, received),
    proveReport(actions, evidence.report),
    proveAlerts(received, evidence.openAlerts),
    proveMidnight(actions, received, evidence.midnight),
  ];
}

function proveRecoveries({ recoveries }: History, received: readonly ReceivedEvent[]): Proof {
  const arrivals = new Map(received.map(({ id, receivedAt }) => [id, receivedAt]));
  const seen = recoveries.map(({ eventId, ...recovery }) => ({
    ...recovery,
    arrivedAt: arrivals.get(eventId) ?? Number.POSITIVE_INFINITY,
  }));
  const lags = seen.map(({ promisedAt, arrivedAt }) => arrivedAt - (promisedAt ?? arrivedAt));
  return {
    claim: `recovered at their instant: ${seen.length} accounts, on the bus ${range(lags)} ms after the end of their waits, none before`,
    judged: seen.length,
    problems: findUntimelyRecoveries(seen, RECOVERED_WITHIN_MS),
  };
}

function proveReport(actions: readonly Action[], { bus, http }: Evidence['report']): Proof {
  const today = actions.filter((action) => dateOf(action) === bus?.generated_at.slice(0, 10));
  const differences = findDifferences(
    bus?.usage_today ?? {},
    countBy(today, ({ type }) => type),
  );
  return {
    claim: `the report counts what Telegram saw: ${today.length} actions; over HTTP it is the same report`,
    judged: today.length,
    problems: isDeepStrictEqual(bus, http) ? differences : ['another report over HTTP', ...differences],
  };
}

function proveAlerts(received: readonly ReceivedEvent[], open: ReadonlySet<string>): Proof {
  const words = received
    .filter(({ type }) => type.startsWith('alert.'))
    .map(({ data }) => ({ alertId: String(data.alert_id), state: String(data.state) }));
  const resolved = words.filter(({ state }) => state === 'resolved').length;
  return {
    claim: `every alert raised once, and resolved once where it is over: ${words.length - resolved} and ${resolved}`,
    judged: resolved,
    problems: findAlertFaults(words, open),
  };
}

function proveMidnight(actions: readonly Action[], received: readonly ReceivedEvent[], midnight: Midnight): Proof {
  const { day, used, archive, ofTheDay, forEver } = midnight;
  const told = received.filter(({ type, data }) => type === 'limits.reset' && data.day === day).length;
  const figures = { 'used of the new day': used, 'left in counters of the day': ofTheDay, 'limits.reset': told };
  return {
    claim: `at midnight the limits are whole before any job has run; the reset archives what Telegram saw: ${actions.length} actions`,
    judged: actions.length,
    problems: [
      ...findDifferences(figures, { 'limits.reset': 1 }),
      ...findDifferences({ 'counted for ever': forEver[1] }, { 'counted for ever': forEver[0] }),
      ...findDifferences(
        archive,
        countBy(actions, ({ account, type }) => `${account} ${type}`),
      ),
    ],
  };
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Counts {
  const counts: Counts = {};
  for (const name of items.map(nameOf)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const range = (all: readonly number[]): string => `${Math.min(...all)} to ${Math.max(...all)}`;

/** Prints what happened and what is proved of it; false where a proof fails. */
export function printSummary(figures: Figures, proofs: readonly Proof[], seconds: number): boolean {
  const lines: [string, string][] = [
    ['Accounts', describeCounts(figures.accounts)],
    ['Grants', `${figures.grants}, of which ${figures.held} not given back`],
    ['Allocations refused', describeCounts(figures.refusedAllocations)],
    ['Actions allowed', describeCounts(figures.allowed)],
    ['Actions refused', describeCounts(figures.refusedActions)],
    ['Telegram errors', describeCounts(figures.errors)],
  ];
  console.log(`\n${paint('bold', `What happened in ${seconds} seconds`)}`);
  for (const [title, text] of lines) console.log(`  ${title.padEnd(20)} ${text}`);
  console.log(`\n${paint('bold', 'What that proves')}`);
  for (const { claim, judged, problems } of proofs) {
    const found = judged === 0 ? ['there was nothing to judge'] : problems;
    console.log(`  ${found.length === 0 ? paint('green', 'proved') : paint('red', 'FAILED')}  ${claim}`);
    for (const problem of found.slice(0, SHOWN_PROBLEMS)) console.log(`          ${problem}`);
    if (found.length > SHOWN_PROBLEMS) console.log(`          and ${found.length - SHOWN_PROBLEMS} more`);
  }
  return proofs.every(({ judged, problems }) => judged > 0 && problems.length === 0);
}
