import '../low-priority.js';
import { processRecoveries } from '../process-recoveries.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(processRecoveries);
