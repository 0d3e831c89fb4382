import '../low-priority.js';
import { healthScan } from '../health-scan.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(healthScan);
