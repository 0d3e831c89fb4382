import '../low-priority.js';
import { cleanupLocks } from '../cleanup-locks.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(cleanupLocks);
