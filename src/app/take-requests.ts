import { createAccountMemory } from '../accounts/account-memory.js';
import { createFleetSnapshot, createFleetTotals } from '../accounts/fleet-totals.js';
import { createSurveys } from '../accounts/surveys.js';
import { createGate } from '../doors/gate.js';
import type { Jobs } from '../jobs/jobs.js';
import { createAccess } from '../requests/access.js';
import { createDispatch } from '../requests/dispatch.js';
import { createFailPoint } from '../requests/fail-point.js';
import type { Resources } from '../requests/handler.js';
import { createLargeCounts } from '../requests/large-counts.js';
import { createWaitingRoom } from '../requests/waiting-room.js';
import { listen } from '../store/listen.js';
import { FREED_CHANNEL, readNotice } from '../store/notices.js';
import { openSessionCipher } from '../store/sessions/session-cipher.js';
import type { Base } from './base.js';
import type { Stores } from './open-stores.js';

export type Requests = ReturnType<typeof takeRequests>;

/** The way from the doors to the operations. `given`: what is built after it. */
export function takeRequests(
  { config, log, metrics }: Base,
  { database, locks, windowCache, recoveryQueue, recentEvents }: Stores,
  jobs: Jobs,
  given: Pick<Resources, 'dependencies' | 'parked'>,
) {
  const access = createAccess(config.access, database.reader);
  const cipher = openSessionCipher(config.sessionEncryptionKeys);
  const surveys = createSurveys(database.reader);
  const memory = createAccountMemory();
  const waitingRoom = createWaitingRoom();
  const fleetSnapshot = createFleetSnapshot(database.reader);
  const reach = createFailPoint(config.failPoint);
  const resources: Resources = {
    policy: config.limits.policy,
    reentry: config.reentry,
    errorWindowMs: config.errorWindowMs,
    countFailedAttempts: config.limits.countFailedAttempts,
    access,
    networkIsTrusted: config.networkIsTrusted,
    cipher,
    locks,
    windowCache,
    surveys,
    memory,
    recentEvents,
    fleetSnapshot,
    fleetTotals: createFleetTotals(database.reader, { readSnapshot: fleetSnapshot, reentry: config.reentry }),
    largeCounts: createLargeCounts(),
    recoveryQueue,
    metrics,
    jobs: jobs.starter,
    settings: config.jobs,
    ...given,
  };
  const freed = listen({
    url: config.databaseUrl,
    channel: FREED_CHANNEL,
    onNotification: (notice) => {
      const { userId, isActivated } = readNotice(notice);
      if (isActivated) {
        surveys.forget(userId);
        memory.lines.forget(userId);
      }
      waitingRoom.wake(userId);
    },
    onListening: () => log.debug('listening for freed accounts'),
  });
  return {
    access,
    cipher,
    gate: createGate({ access, metrics, log }),
    dispatch: createDispatch({ database, log, reach, resources }, waitingRoom),
    reach,
    /** Those that wait are answered at once. */
    closeWaitingRoom: waitingRoom.close,
    close: freed.close,
  };
}
