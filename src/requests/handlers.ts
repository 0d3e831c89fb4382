import type { OperationName } from '../../contracts/operations.js';
import { accounts } from '../operations/query/accounts.js';
import { acquire } from '../operations/action/acquire.js';
import { allocate } from '../operations/account/allocate.js';
import { check } from '../operations/action/check.js';
import { explain } from '../operations/query/explain.js';
import { floodWait } from '../operations/query/flood-wait.js';
import { forceRelease } from '../operations/admin/force-release.js';
import type { OperationHandler } from './handler.js';
import { health } from '../operations/query/health.js';
import { history } from '../operations/query/history.js';
import { limits } from '../operations/query/limits.js';
import { reauthorize } from '../operations/admin/reauthorize.js';
import { parked } from '../operations/admin/parked.js';
import { record } from '../operations/action/record.js';
import { recover } from '../operations/admin/recover.js';
import { recoveryStats } from '../operations/query/recovery-stats.js';
import { register } from '../operations/admin/register.js';
import { release } from '../operations/account/release.js';
import { releaseAll } from '../operations/account/release-all.js';
import { renew } from '../operations/account/renew.js';
import { report } from '../operations/query/report.js';
import { reportError } from '../operations/account/error.js';
import { runJob } from '../operations/admin/run-job.js';
import { scheduleRecovery } from '../operations/admin/schedule-recovery.js';
import { setStatus } from '../operations/admin/set-status.js';
import { status } from '../operations/query/status.js';

/** Which function handles which operation of the table. */
export const HANDLERS: { readonly [K in OperationName]: OperationHandler<K> } = {
  'account.allocate': allocate,
  'account.renew': renew,
  'account.release': release,
  'account.release-all': releaseAll,
  'account.error': reportError,
  'action.check': check,
  'action.acquire': acquire,
  'action.record': record,
  'query.health': health,
  'query.limits': limits,
  'query.flood-wait': floodWait,
  'query.recovery-stats': recoveryStats,
  'query.accounts': accounts,
  'query.explain': explain,
  'query.history': history,
  'query.status': status,
  'query.report': report,
  'admin.register': register,
  'admin.set-status': setStatus,
  'admin.reauthorize': reauthorize,
  'admin.recover': recover,
  'admin.schedule-recovery': scheduleRecovery,
  'admin.force-release': forceRelease,
  'admin.parked': parked,
  'admin.run-job': runJob,
};
