import type { CloudEvent } from '../../contracts/events.js';
import type { LedgerEntry } from '../telegram-simulator.js';
import type { Figures, History } from './history.js';
import {
  type ActionLimits,
  findActsInWaits,
  findDoubleLeases,
  findExceededLimits,
  findLostEvents,
  matchPermits,
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
  received: CloudEvent[];
  limits: Readonly<Record<string, ActionLimits>>;
}

/** The limits' names for what Telegram was asked. */
const ACTION_TYPES: Readonly<Record<string, string>> = {
  'channels.inviteToChannel': 'invite',
  'channels.joinChannel': 'join_channel',
  'channels.getParticipants': 'parse',
  'messages.sendMessage': 'message',
};
const SHOWN_PROBLEMS = 5;

/** Judges the evidence: what the service wrote down, what Telegram saw, and what arrived on the bus. */
export function prove({ history, ledger, received, limits }: Evidence): Proof[] {
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
      claim: `no limit exceeded, by the instants at which Telegram saw the actions (${transit(actions)} ms after their permits)`,
      judged: actions.length,
      problems: findExceededLimits(actions, limits),
    },
    {
      claim: `no account used in its wait, its block or its ban: ${history.waits.length} of them`,
      judged: history.waits.length,
      problems: findActsInWaits(acts, history.waits),
    },
    {
      claim: `events on the bus = events in the table: ${history.events.length}, each account's in order and without a gap`,
      judged: history.events.length,
      problems: findLostEvents(history.events, arrived),
    },
  ];
}

const transit = (actions: readonly { underWayMs: number }[]): string => {
  const all = actions.map(({ underWayMs }) => underWayMs);
  return `${Math.min(...all)} to ${Math.max(...all)}`;
};

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
