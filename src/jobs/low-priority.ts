import { constants, setPriority } from 'node:os';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

// Imported first by every worker: requests go before jobs, and before a job's modules are loaded. On Linux this is the
// priority of the calling thread alone; elsewhere it would be the whole process's.
if (process.platform === 'linux' && !isMainThread) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
