import '../low-priority.js';
import { report } from '../report.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(report);
