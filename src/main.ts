import type { App } from './app.js';
import { clock } from './clock.js';

// Signals are heard first and the program is loaded after, which takes a second: the kernel drops a signal to process 1
// of a container that has no handler for it, so a stop within that second was lost. So nothing large is imported above.
// Exit codes: 0 after a stop in order, 1 when something is wrong.

/** Told to the whole process group, npm hands a signal on that its child has had already. */
const SAME_SIGNAL_MS = 500;

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
    log.error('could not start', { error });
    await started.stop().catch(() => {});
    process.exit(1);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`The configuration is not valid:\n${error.message}\n`);
  process.exit(1);
}
