import type { AccountStatus } from '../../../contracts/fields.js';
import { type Alert, alertOf } from './compare-alerts.js';

/** From which share of the fleet on an alert is raised, per cent; the predecessor's were 10, 5 and 30. */
export interface AlertThresholds {
  readonly floodWaitPercent: number;
  readonly blockedPercent: number;
  readonly nearLimitsPercent: number;
}

/** The fleet in numbers, as of one instant. */
export interface FleetCounts {
  readonly byStatus: Readonly<Record<AccountStatus, number>>;
  /** Accounts, disabled ones aside, that have used most of a daily limit. */
  readonly nearLimits: number;
}

/** The alerts that `judgeShares` looks for. */
export const FLEET_ALERTS = ['flood_wait_share', 'blocked_share', 'near_limits_share'] as const;

export const countAll = (byStatus: FleetCounts['byStatus']): number =>
  Object.values(byStatus).reduce((total, accounts) => total + accounts, 0);

/** Alerts about shares of the whole fleet that are over their threshold. */
export function judgeShares({ byStatus, nearLimits }: FleetCounts, thresholds: AlertThresholds): Alert[] {
  const total = countAll(byStatus);
  const shares = [
    { kind: 'flood_wait_share', accounts: byStatus.flood_wait, over: thresholds.floodWaitPercent },
    { kind: 'blocked_share', accounts: byStatus.blocked, over: thresholds.blockedPercent },
    { kind: 'near_limits_share', accounts: nearLimits, over: thresholds.nearLimitsPercent },
  ] as const;
  return shares
    .filter(({ accounts, over }) => accounts * 100 > over * total)
    .map(({ kind, accounts, over }) =>
      alertOf(kind, '', {
        accounts,
        total_accounts: total,
        percent: percentOf(accounts, total),
        threshold_percent: over,
      }),
    );
}

/** A share in per cent, with one decimal; 0 of nothing is 0. */
export const percentOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 1000) / 10;
