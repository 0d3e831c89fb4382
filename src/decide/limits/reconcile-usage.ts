import type { ActionType } from '../../../contracts/fields.js';

/** Usage that a holder reports at release (`usage_stats`). Channels are normalised keys. */
export interface ReportedUsage {
  readonly invites_sent: number;
  readonly messages_sent: number;
  readonly contacts_added: number;
  readonly channels_used?: readonly string[] | undefined;
  /** Invites by channel. */
  readonly channel_usage?: Readonly<Record<string, number>> | undefined;
}

/** Actions acquired or recorded during the lease. Several entries of one action and channel add up. */
export interface CountedUsage {
  readonly actionType: ActionType;
  /** Null: counted on the account, in no channel. */
  readonly channel: string | null;
  readonly quantity: number;
}

export type ReportedAction = 'invite' | 'message' | 'add_contact';

/** Usage that a release still has to count. `byChannel` may sum up to more than `quantity`: see `reconcileUsage`. */
export interface UsageAddition {
  readonly actionType: ReportedAction;
  /** To be counted on the account; 0 where only channels are behind. */
  readonly quantity: number;
  readonly byChannel: readonly { readonly channel: string; readonly quantity: number }[];
}

export interface ReconciledUsage {
  /** Only of actions that add something. */
  readonly additions: readonly UsageAddition[];
  /** Actions added to the account: the reply's `counted`. */
  readonly counted: { readonly invites: number; readonly messages: number; readonly contacts: number };
}

/**
 * Compares a holder's report with the actions counted during its lease. Only actions that were not counted yet are
 * added (contract, section 6), so an action that was acquired or recorded, and then reported, counts once.
 *
 * The account is charged `reported − counted`; where the split by channel sums up to more than the total reported, the
 * sum is what was reported. Channels, of invites and messages:
 * - in `channel_usage` (invites only): `n − counted in that channel`;
 * - else each of `channels_used`, or the lease's target channel where no channel is named: the whole amount whose
 *   channel is unknown, which is what is left of the total when all that is known by channel is taken off. Where the
 *   split over several channels is unknown, each is charged all of it: never under-counted.
 * An action counted in no channel leaves its channel unknown, so it is charged there too.
 */
export function reconcileUsage({
  reported,
  countedInLease,
  leaseChannel,
}: {
  reported: ReportedUsage;
  countedInLease: readonly CountedUsage[];
  /** The target channel the account was allocated for. */
  leaseChannel: string | null;
}): ReconciledUsage {
  const named = reported.channels_used?.length ? [...new Set(reported.channels_used)] : [leaseChannel ?? []].flat();
  const reconcile = (
    actionType: ReportedAction,
    total: number,
    unsplit: readonly string[],
    split: Readonly<Record<string, number>> = {},
  ) => {
    const counted = countedInLease.filter((entry) => entry.actionType === actionType);
    return { actionType, ...uncounted(total, counted, unsplit, split) };
  };
  const invites = reconcile('invite', reported.invites_sent, named, reported.channel_usage);
  const messages = reconcile('message', reported.messages_sent, named);
  const contacts = reconcile('add_contact', reported.contacts_added, []);
  return {
    additions: [invites, messages, contacts].filter(({ quantity, byChannel }) => quantity > 0 || byChannel.length > 0),
    counted: { invites: invites.quantity, messages: messages.quantity, contacts: contacts.quantity },
  };
}

function uncounted(
  total: number,
  counted: readonly CountedUsage[],
  unsplit: readonly string[],
  split: Readonly<Record<string, number>>,
): Pick<UsageAddition, 'quantity' | 'byChannel'> {
  const reported = new Map(Object.entries(split));
  const countedIn = new Map<string, number>();
  for (const { channel, quantity } of counted) {
    if (channel !== null) countedIn.set(channel, (countedIn.get(channel) ?? 0) + quantity);
  }
  const known = sum(
    [...new Set([...reported.keys(), ...countedIn.keys()])].map((channel) =>
      Math.max(reported.get(channel) ?? 0, countedIn.get(channel) ?? 0),
    ),
  );
  const unknown = Math.max(0, total - known);
  const byChannel = [
    ...[...reported].map(([channel, n]) => ({ channel, quantity: n - (countedIn.get(channel) ?? 0) })),
    ...unsplit.filter((channel) => !reported.has(channel)).map((channel) => ({ channel, quantity: unknown })),
  ].filter(({ quantity }) => quantity > 0);

  const reportedTotal = Math.max(total, sum([...reported.values()]));
  return { quantity: Math.max(0, reportedTotal - sum(counted.map(({ quantity }) => quantity))), byChannel };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
