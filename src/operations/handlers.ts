import type { OperationName } from '../../contracts/operations.js';
import { accounts } from './accounts.js';
import { acquire } from './acquire.js';
import { allocate } from './allocate.js';
import { check } from './check.js';
import { explain } from './explain.js';
import { floodWait } from './flood-wait.js';
import { forceRelease } from './force-release.js';
import type { OperationHandler } from './handler.js';
import { health } from './health.js';
import { history } from './history.js';
import { limits } from './limits.js';
import { reauthorize } from './reauthorize.js';
import { parked } from './parked.js';
import { record } from './record.js';
import { recover } from './recover.js';
import { recoveryStats } from './recovery-stats.js';
import { register } from './register.js';
import { release } from './release.js';
import { releaseAll } from './release-all.js';
import { renew } from './renew.js';
import { report } from './report.js';
import { reportError } from './report-error.js';
import { runJob } from './run-job.js';
import { scheduleRecovery } from './schedule-recovery.js';
import { setStatus } from './set-status.js';
import { status } from './status.js';

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
