import '../low-priority.js';
import { resetDailyLimits } from '../reset-daily-limits.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(resetDailyLimits);
