import { alertOf } from '../decide/jobs/compare-alerts.js';
import { findFailingProxies } from '../decide/condition/failing-proxies.js';
import { resolveEndedAlerts, settleAlerts } from '../store/fleet/alerts.js';
import { loadRecoveries } from '../store/accounts/load-recoveries.js';
import { groupByProxy, scanDataFaults, type DataFaultName } from '../store/fleet/scan-fleet.js';
import { countSessionKeys } from '../store/sessions/session-keys.js';
import { type Job, type JobContext, type JobTask, PROBE_COUNT } from './job.js';
import { judgeFleetAlerts } from './judge-fleet-alerts.js';
import { probeIdleAccounts } from './probe-accounts.js';
import { processRecoveries } from './process-recoveries.js';
import { resealSessions } from './reseal-sessions.js';

const TROUBLE: readonly DataFaultName[] = [
  'high_error_counts',
  'waits_without_end',
  'overdue_recoveries',
  'expired_leases',
];
const SCAN_ALERTS = [...TROUBLE, 'proxy_failing', 'session_key_unknown'] as const;

/** Searches the fleet for trouble: raises and resolves alerts, and plans what recovers by itself. */
export const healthScan: Job = {
  name: 'health-scan',
  run: async (context, task) => {
    await raiseTrouble(context, task);
    await judgeFleetAlerts(context, task);
    if (task.signal.aborted) return;
    try {
      await processRecoveries.run(context, task);
    } finally {
      // An account that cannot be settled fails the run, and shall keep back neither a change of keys nor the rest.
      await planRecoveries(context, task);
      await resealSessions(context, task);
      await probeAccounts(context, task);
    }
  },
};

async function raiseTrouble({ database, cipher }: JobContext, { count }: JobTask): Promise<void> {
  const trouble = await scanDataFaults(database.reader);
  const found = TROUBLE.flatMap((kind) => {
    const { accounts, examples } = trouble.get(kind) ?? { accounts: 0, examples: [] };
    count(kind, accounts);
    return accounts === 0 ? [] : [alertOf(kind, '', { accounts, examples })];
  });
  const proxies = findFailingProxies(await groupByProxy(database.reader));
  count('failing_proxies', proxies.length);
  const keys = (await countSessionKeys(database.reader, cipher.keyIds)).flatMap(({ keyId, state, sessions }) =>
    state === 'unknown' ? [alertOf('session_key_unknown', keyId, { key_id: keyId, sessions })] : [],
  );
  const { raised, resolved } = await settleAlerts(database, SCAN_ALERTS, [...found, ...proxies, ...keys]);
  count('alerts_raised', raised);
  count('alerts_resolved', resolved + (await resolveEndedAlerts(database)));
}

/** Whatever the queue has lost is due again. */
async function planRecoveries({ database, recoveryQueue }: JobContext, { count }: JobTask): Promise<void> {
  count('recoveries_planned', await recoveryQueue.fill(loadRecoveries(database.reader)));
}

/** Last, since it takes long and the rest does not. */
async function probeAccounts(context: JobContext, { signal, count }: JobTask): Promise<void> {
  const { probe, errorWindowMs } = context.settings;
  const { probed, byOutcome } = await probeIdleAccounts({ ...context, probe, errorWindowMs, signal });
  count('probed', probed);
  for (const [outcome, quantity] of Object.entries(byOutcome)) count(`${PROBE_COUNT}${outcome}`, quantity);
}
