export const ALERT_SEVERITIES = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** Every alert that the service raises, with its severity; docs/runbooks has a page for each. */
export const ALERTS = {
  flood_wait_share: 'warning',
  blocked_share: 'critical',
  near_limits_share: 'info',
  high_error_counts: 'warning',
  waits_without_end: 'warning',
  overdue_recoveries: 'warning',
  expired_leases: 'warning',
  session_key_unknown: 'critical',
  proxy_failing: 'warning',
  limit_exceeded: 'warning',
  broker: 'critical',
  job_overdue: 'critical',
} as const satisfies Record<string, AlertSeverity>;
export type AlertName = keyof typeof ALERTS;
