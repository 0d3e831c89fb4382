import { type AlertName, ALERTS } from '../../../contracts/alerts.js';
import type { Instruments } from './instruments.js';

/** The fleet as one instance has read it, for all of them. */
export interface FleetState {
  totalAccounts: number;
  /** Active, in no wait, and with few errors. */
  healthyAccounts: number;
  floodWaitActive: number;
  blockedActive: number;
  /** Open leases by service name. */
  leasesByService: ReadonlyMap<string, number>;
  /** Sessions by the key that has sealed them. */
  sessionKeys: readonly { keyId: string; state: string; sessions: number }[];
  /** Events committed and not yet published. */
  outboxPending: number;
  /** Seconds since the oldest of them was committed; 0 when there is none. */
  outboxOldestAgeSeconds: number;
}

/** The state of the whole installation, which every instance shows alike. */
export const createFleetMetrics = ({ gauge }: Instruments, boundedService: (name: string) => string) => {
  const totalAccounts = gauge('total_accounts', 'Accounts registered');
  const healthyAccounts = gauge('healthy_accounts', 'Accounts that are active, in no wait and without many errors');
  const floodWaitActive = gauge('flood_wait_active', 'Accounts in a flood wait');
  const blockedActive = gauge('blocked_active', 'Accounts blocked after a peer flood');
  const leasesActive = gauge('leases_active', 'Open leases by service', ['service']);
  const outboxPending = gauge('outbox_pending_events', 'Events committed and not yet published');
  const outboxOldestAge = gauge('outbox_oldest_age_seconds', 'Age of the oldest event not yet published; 0: none');
  const sessions = gauge(
    'sessions',
    'Sessions by the id of the key that has sealed them; state is current, old (to be sealed anew) or unknown',
    ['key_id', 'state'],
  );
  const alertsActive = gauge('alerts_active', 'Alerts raised and not yet resolved', ['alert', 'severity']);

  return {
    /** Shows the fleet as it now is. */
    setFleet: (fleet: FleetState): void => {
      totalAccounts.set(fleet.totalAccounts);
      healthyAccounts.set(fleet.healthyAccounts);
      floodWaitActive.set(fleet.floodWaitActive);
      blockedActive.set(fleet.blockedActive);
      outboxPending.set(fleet.outboxPending);
      outboxOldestAge.set(fleet.outboxOldestAgeSeconds);
      sessions.reset();
      for (const { keyId, state, sessions: sealed } of fleet.sessionKeys)
        sessions.set({ key_id: keyId, state }, sealed);
      // A service whose last lease has ended must not keep its last number.
      leasesActive.reset();
      for (const [service, leases] of fleet.leasesByService)
        leasesActive.inc({ service: boundedService(service) }, leases);
    },

    /** Shows the open alerts as they now are. */
    setAlerts: (alerts: readonly { kind: string; severity: string }[]): void => {
      alertsActive.reset();
      for (const alert of Object.keys(ALERTS) as AlertName[]) alertsActive.set({ alert, severity: ALERTS[alert] }, 0);
      for (const { kind, severity } of alerts) alertsActive.inc({ alert: kind, severity });
    },
  };
};
