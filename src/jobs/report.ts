import { fromIso, toIso } from '../clock.js';
import { forecastCapacity } from '../decide/limits/forecast-capacity.js';
import { countAll, percentOf } from '../decide/jobs/judge-shares.js';
import { reentersSince } from '../decide/limits/reentry.js';
import { nextUtcMidnight, utcDay } from '../decide/limits/usage-window.js';
import { HOUR_MS } from '../decide/time-units.js';
import { loadOpenAlerts } from '../store/fleet/alerts.js';
import { nameId } from '../store/history/announce.js';
import { groupUsage } from '../store/fleet/group-usage.js';
import { loadReport, publishReport } from '../store/fleet/reports.js';
import { countRefusals, countWaits, rankServices, sumUsageOn } from '../store/fleet/summarise-fleet.js';
import type { Job } from './job.js';
import { judgeFleetAlerts } from './judge-fleet-alerts.js';

/** The first report looks back this far, and no later one further than requests are kept. */
const FIRST_PERIOD_MS = 6 * HOUR_MS;
const LONGEST_PERIOD_MS = 24 * HOUR_MS;
/** So that a report fits into a message, whatever has happened. */
const MAX_ALERTS = 100;

/** Writes down the state of the fleet and announces it; raises and resolves the alerts about it. */
export const makeReport: Job = {
  name: 'report',
  run: async (context, task) => {
    const { database, settings } = context;
    const sql = database.reader;
    const fleet = await judgeFleetAlerts(context, task);
    const { now, byStatus } = fleet;
    const last = await loadReport(sql, { reportId: null, at: now });
    const sinceAt =
      last === null ? now - FIRST_PERIOD_MS : Math.max(fromIso(last.generated_at), now - LONGEST_PERIOD_MS);
    const cohorts = await groupUsage(sql, {
      users: null,
      channel: null,
      ableBefore: nextUtcMidnight(now),
      reentersSince: reentersSince(settings.reentry, now),
    });
    const alerts = await loadOpenAlerts(sql, MAX_ALERTS);
    const published = await publishReport(database, {
      report_id: nameId(`report ${toIso(task.scheduledFor)}`),
      generated_at: toIso(now),
      since: toIso(sinceAt),
      total_accounts: countAll(byStatus),
      healthy_accounts: fleet.healthy,
      health_percent: percentOf(fleet.healthy, countAll(byStatus)),
      status_breakdown: byStatus,
      near_limits: fleet.nearLimits,
      usage_today: await sumUsageOn(sql, utcDay(now)),
      remaining_today: forecastCapacity(cohorts, settings, now),
      refusals: await countRefusals(sql, sinceAt),
      services: await rankServices(sql, sinceAt),
      waits: await countWaits(sql, now),
      alerts: alerts.map(({ alertId, kind, subject, severity, raisedAt }) => ({
        alert_id: alertId,
        alert: kind,
        subject,
        severity,
        raised_at: toIso(raisedAt),
      })),
    });
    task.count('published', published ? 1 : 0);
  },
};
