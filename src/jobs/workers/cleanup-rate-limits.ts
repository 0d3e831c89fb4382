import '../low-priority.js';
import { cleanupRateLimits } from '../cleanup-rate-limits.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(cleanupRateLimits);
