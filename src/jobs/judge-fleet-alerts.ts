import { FLEET_ALERTS, judgeShares } from '../decide/jobs/judge-shares.js';
import { reducePolicy, reentersSince } from '../decide/limits/reentry.js';
import { utcDay } from '../decide/limits/usage-window.js';
import { settleAlerts } from '../store/fleet/alerts.js';
import { type FleetSnapshot, loadFleetSnapshot } from '../store/fleet/fleet-state.js';
import { countNearLimits } from '../store/fleet/scan-fleet.js';
import type { JobContext, JobTask } from './job.js';

/** Counts the fleet, and raises and resolves the alerts about its shares. */
export async function judgeFleetAlerts(
  { database, settings }: JobContext,
  { count }: JobTask,
): Promise<FleetSnapshot & { nearLimits: number }> {
  const fleet = await loadFleetSnapshot(database.reader);
  const nearLimits = await countNearLimits(database.reader, {
    policy: settings.policy,
    reduced: reducePolicy(settings.policy, settings.reentry),
    reentersSince: reentersSince(settings.reentry, fleet.now),
    percent: settings.nearLimitPercent,
    today: utcDay(fleet.now),
  });
  const found = judgeShares({ byStatus: fleet.byStatus, nearLimits }, settings.alerts);
  const { raised, resolved } = await settleAlerts(database, FLEET_ALERTS, found);
  count('alerts_raised', raised);
  count('alerts_resolved', resolved);
  return { ...fleet, nearLimits };
}
