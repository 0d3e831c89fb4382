import { type OperationName, OPERATIONS } from '../../contracts/operations.js';
import { accounts } from '../operations/query/accounts.js';
import { check } from '../operations/action/check.js';
import { explain } from '../operations/query/explain.js';
import { floodWait } from '../operations/query/flood-wait.js';
import { forceRelease } from '../operations/admin/force-release.js';
import { ACCOUNT_OPERATIONS, accountLane, answerFromMemory, weighAccountRequest } from './account-lane.js';
import type { AnswerUnlocked } from './batch-items.js';
import type { AcceptedRequest, AccountOperation, OperationHandler } from './handler.js';
import { health } from '../operations/query/health.js';
import { history } from '../operations/query/history.js';
import { limits } from '../operations/query/limits.js';
import { alerts } from '../operations/query/alerts.js';
import { jobs } from '../operations/query/jobs.js';
import { leases } from '../operations/query/leases.js';
import { series } from '../operations/query/series.js';
import { policy } from '../operations/query/policy.js';
import { recoveries } from '../operations/query/recoveries.js';
import { events } from '../operations/query/events.js';
import { bulk } from '../operations/admin/bulk.js';
import { remove } from '../operations/admin/remove.js';
import { reauthorize } from '../operations/admin/reauthorize.js';
import { parked } from '../operations/admin/parked.js';
import { recover } from '../operations/admin/recover.js';
import { recoveryStats } from '../operations/query/recovery-stats.js';
import { register } from '../operations/admin/register.js';
import { releaseAll } from '../operations/account/release-all.js';
import { report } from '../operations/query/report.js';
import { runJob } from '../operations/admin/run-job.js';
import { scheduleRecovery } from '../operations/admin/schedule-recovery.js';
import { setStatus } from '../operations/admin/set-status.js';
import { status } from '../operations/query/status.js';

/** Which function handles which operation of the table; those on accounts are handled together. */
const HANDLERS: { readonly [K in Exclude<OperationName, AccountOperation>]: OperationHandler<K> } = {
  'account.release-all': releaseAll,
  'action.check': check,
  'query.health': health,
  'query.limits': limits,
  'query.flood-wait': floodWait,
  'query.recovery-stats': recoveryStats,
  'query.accounts': accounts,
  'query.explain': explain,
  'query.history': history,
  'query.status': status,
  'query.report': report,
  'query.leases': leases,
  'query.recoveries': recoveries,
  'query.jobs': jobs,
  'query.alerts': alerts,
  'query.events': events,
  'query.series': series,
  'query.policy': policy,
  'admin.register': register,
  'admin.set-status': setStatus,
  'admin.reauthorize': reauthorize,
  'admin.recover': recover,
  'admin.schedule-recovery': scheduleRecovery,
  'admin.force-release': forceRelease,
  'admin.bulk': bulk,
  'admin.remove': remove,
  'admin.parked': parked,
  'admin.run-job': runJob,
};

/** Requests that are answered in one batch. */
export interface Lane {
  /** In logs and metrics: of one operation its name. */
  name: OperationName | 'accounts';
  /** Its batches are transactions. */
  changesState: boolean;
  handler: OperationHandler<OperationName, unknown>;
  /** Tried before the handler, where there is one. */
  answerUnlocked?: AnswerUnlocked;
  /** How many batches may be in work, the second beside a slow one. */
  batches: number;
  /** How many ordinary requests one takes the time of; 1 where it is left out. */
  weigh?: (request: AcceptedRequest<OperationName>) => number;
}

const ACCOUNTS: Lane = {
  name: 'accounts',
  changesState: true,
  handler: accountLane as OperationHandler<OperationName, unknown>,
  answerUnlocked: answerFromMemory,
  batches: 2,
  weigh: weighAccountRequest,
};

/** By operation. */
export const LANES = new Map<OperationName, Lane>([
  ...Object.entries(HANDLERS).map(([key, handler]): [OperationName, Lane] => {
    const name = key as OperationName;
    const { changesState } = OPERATIONS[name];
    // A reading that takes long must not keep the others.
    const batches = changesState ? 1 : 2;
    return [name, { name, changesState, handler: handler as OperationHandler<OperationName, unknown>, batches }];
  }),
  ...ACCOUNT_OPERATIONS.map((name): [OperationName, Lane] => [name, ACCOUNTS]),
]);
