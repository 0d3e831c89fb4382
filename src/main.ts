import './check-node.js';
import type { App } from './app.js';
import { clock } from './clock.js';
import { StartError } from './decide/start/start-error.js';

// Signal handlers are set before the program is loaded, which takes a second. The kernel drops a signal to process 1 of
// a container that has no handler for it, so a stop within that second was lost. So nothing large is imported above.
// Exit codes: 0 after a stop in order, 1 when something is wrong.

/** Told to the whole process group, npm hands a signal on that its child has had already. */
const SAME_SIGNAL_MS = 500;

/** Time limit for an orderly stop of a process that has not begun to serve, milliseconds. */
const FAREWELL_MS = 1_000;

/** Null while it is loaded. */
let app: App | null = null;
let stoppingSince: number | null = null;
const isStopping = (): boolean => stoppingSince !== null;

const stop = (signal: string): void => {
  if (stoppingSince !== null) {
    // A second signal does not wait for the drain.
    if (clock.monotonicMs() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
    return;
  }
  stoppingSince = clock.monotonicMs();
  if (app === null) process.exit(0);
  const { log } = app;
  log.info('stopping', { signal });
  app.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error('could not stop in order', { error });
      process.exit(1);
    },
  );
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

// Before the program is loaded there is nothing to read again and no log: only the default, which ends it, must not be.
let readAccessAgain = (): void => {};
let toggleDebug = (): void => {};
process.on('SIGHUP', () => readAccessAgain());
process.on('SIGUSR2', () => toggleDebug());

const { ConfigError, loadAccess, loadConfig } = await import('./config.js');
const { createApp } = await import('./app.js');
const { createLog } = await import('./telemetry/log.js');
const { waitAtMost } = await import('./broker/wait-at-most.js');

/** SIGHUP reads the access file again, SIGUSR2 turns debug lines on and off. */
async function main(): Promise<void> {
  const config = loadConfig();
  const started = createApp(config);
  const { log } = started;
  app = started;
  readAccessAgain = () => {
    try {
      started.replaceAccess(loadAccess(config));
    } catch (error) {
      log.error('access file not valid; the rights of before hold', { error });
    }
  };
  let isVerbose = false;
  toggleDebug = () => {
    isVerbose = !isVerbose;
    log.setLevel(isVerbose ? 'debug' : config.logLevel);
  };
  process.on('unhandledRejection', (error) => {
    log.error('unhandled rejection', { error });
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    log.error('uncaught exception', { error });
    process.exit(1);
  });
  try {
    await started.start();
  } catch (error) {
    // Stopped while it was starting: the stop decides the exit code.
    if (isStopping()) return;
    // A fault that the operator can mend is one sentence; the rest is a defect, whose stack is wanted.
    if (error instanceof StartError) log.error(`could not start: ${error.message}`);
    else log.error('could not start', { error });
    // Nothing was served; what the stop has to say would only hide the cause.
    log.setLevel('error');
    await waitAtMost(started.stop(), FAREWELL_MS);
    process.exit(1);
  }
}

// Node.js 24 loads without a turn of the event loop: what was signalled meanwhile is heard here.
await new Promise(setImmediate);
try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  const log = createLog({ level: 'error', instance: String(process.pid), format: error.logFormat });
  for (const { variable, rule } of error.problems) log.error(`could not start: ${variable}: ${rule}`);
  process.exit(1);
}
