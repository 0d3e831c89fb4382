import type { ReplyBody } from '../../contracts/operations.js';
import { ask } from './api.js';
import type { Act } from './parts/act.js';
import { say, sayName } from './text.js';
import { clockText } from './time.js';
import { now } from './clock.js';
import { shortId } from './parts/basics.js';

type StatusAfter = ReplyBody<'admin.recover'>;

/** How an account stands after a decision, in a sentence. */
function describe({ status, previous_status: before, changed, recovery_time: until }: StatusAfter): string {
  if (!changed) return say('outcome.unchanged', { status: sayName('status', status) });
  const text = say('outcome.status', { before: sayName('status', before), status: sayName('status', status) });
  return until === null ? text : `${text} ${say('outcome.until', { until: clockText(until, now.value, true) })}`;
}

export const recoverAct = (id: string): Act => ({
  title: say('act.recover'),
  explains: say('act.recover.explain', { account: shortId(id) }),
  fields: [{ name: 'force', label: say('force'), hint: say('force.recover'), kind: 'check' }],
  run: async ({ reason = '', force }) =>
    describe(await ask('admin.recover', { account_id: id, reason, force: force === 'true' })),
});

export const activateAct = (id: string): Act => ({
  title: say('act.activate'),
  explains: say('act.activate.explain', { account: shortId(id) }),
  fields: [{ name: 'force', label: say('force'), hint: say('force.activate'), kind: 'check' }],
  run: async ({ reason = '', force }) =>
    describe(await ask('admin.set-status', { account_id: id, status: 'active', reason, force: force === 'true' })),
});

export const drainAct = (id: string): Act => ({
  title: say('act.drain'),
  explains: say('act.drain.explain', { account: shortId(id) }),
  fields: [],
  run: async ({ reason = '' }) =>
    describe(await ask('admin.set-status', { account_id: id, status: 'draining', reason })),
});

export const disableAct = (id: string): Act => ({
  title: say('act.disable'),
  explains: say('act.disable.explain', { account: shortId(id) }),
  fields: [],
  isDangerous: true,
  run: async ({ reason = '' }) =>
    describe(await ask('admin.set-status', { account_id: id, status: 'disabled', reason })),
});

export const releaseAct = (id: string, service: string): Act => ({
  title: say('act.release'),
  explains: say('act.release.explain', { account: shortId(id), service }),
  fields: [],
  isDangerous: true,
  run: async ({ reason = '' }) => {
    const { released, released_from: from } = await ask('admin.force-release', { account_id: id, reason });
    return released ? say('outcome.released', { service: from ?? service }) : say('outcome.not-held');
  },
});

export const scheduleAct = (id: string): Act => ({
  title: say('act.schedule'),
  explains: say('act.schedule.explain', { account: shortId(id) }),
  fields: [{ name: 'at', label: say('act.schedule.at'), kind: 'instant', isRequired: true }],
  run: async ({ reason = '', at = '' }) => {
    const recoveryTime = new Date(at).toISOString();
    return describe(await ask('admin.schedule-recovery', { account_id: id, recovery_time: recoveryTime, reason }));
  },
});

export const reauthorizeAct = (id: string): Act => ({
  title: say('act.reauthorize'),
  explains: say('act.reauthorize.explain', { account: shortId(id) }),
  fields: [{ name: 'session', label: say('session'), hint: say('session.hint'), kind: 'secret', isRequired: true }],
  reason: null,
  run: async ({ session = '' }) => describe(await ask('admin.reauthorize', { account_id: id, session_data: session })),
});

export const removeAct = (id: string): Act => ({
  title: say('act.remove'),
  explains: say('act.remove.explain', { account: shortId(id) }),
  fields: [{ name: 'sure', label: say('act.remove.sure'), kind: 'check', isRequired: true }],
  isDangerous: true,
  run: async ({ reason = '' }) => {
    const { removed_at: at } = await ask('admin.remove', { account_id: id, reason });
    return say('outcome.removed', { at: clockText(at, now.value, true) });
  },
});
