import '../low-priority.js';
import { makeReport } from '../report.js';
import { runInWorker } from '../run-in-worker.js';

await runInWorker(makeReport);
