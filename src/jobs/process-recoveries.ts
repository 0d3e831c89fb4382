import { lockEndedWaits } from '../store/accounts/lock-ended.js';
import { inChunks } from './in-chunks.js';
import type { Job } from './job.js';
import { settleEnded } from './settle-ended.js';

const CHUNK = 200;

/** Ends every wait that is over: the safety net below the timer, which ends them at their instant. */
export const processRecoveries: Job = {
  name: 'process-recoveries',
  run: async (context, { signal, count }) => {
    await inChunks(signal, async () => {
      const { accounts, recovered } = await settleEnded(context, (sql) => lockEndedWaits(sql, CHUNK));
      count('waits_ended', accounts);
      count('recovered', recovered);
      return accounts;
    });
  },
};
