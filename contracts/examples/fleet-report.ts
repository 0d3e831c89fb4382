import type { FleetReport } from '../jobs.js';
import { EXAMPLE } from './example.js';

/** A report as the job generates it. */
export const FLEET_REPORT: FleetReport = {
  report_id: '8b26ff79-e127-87be-a4c8-018e45a42b7e',
  generated_at: '2026-03-02T12:00:01.432Z',
  since: '2026-03-02T06:00:01.118Z',
  total_accounts: 50,
  healthy_accounts: 42,
  health_percent: 84,
  status_breakdown: { active: 43, flood_wait: 3, blocked: 1, draining: 1, disabled: 2 },
  near_limits: 6,
  usage_today: { invite: 412, message: 655, add_contact: 90, join_channel: 24, leave_channel: 3, parse: 18_230 },
  remaining_today: {
    invite: 788,
    message: 620,
    add_contact: 510,
    join_channel: 836,
    leave_channel: 857,
    parse: 97_700,
  },
  refusals: [
    { operation: 'account.allocate', code: 'ALL_LIMITED', rule: null, count: 9 },
    { operation: 'action.acquire', code: null, rule: 'cooldown', count: 131 },
  ],
  services: [
    { service_name: EXAMPLE.serviceName, leases: 61, open_leases: 12, actions: 412 },
    { service_name: 'parsing-service', leases: 20, open_leases: 4, actions: 18_230 },
  ],
  waits: [{ status: 'flood_wait', cause: 'flood_wait', accounts: 3 }],
  alerts: [
    {
      alert_id: '0c1d2e3f-4a5b-4c6d-9e7f-8a9b0c1d2e3f',
      alert: 'proxy_failing',
      subject: 'proxy-3.internal',
      severity: 'warning',
      raised_at: '2026-03-02T10:15:00.204Z',
    },
  ],
};
