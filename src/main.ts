import { createApp } from './app.js';
import { clock } from './clock.js';
import { ConfigError, loadAccess, loadConfig } from './config.js';

/** Told to the whole process group, npm hands a signal on that its child has had already. */
const SAME_SIGNAL_MS = 500;

/**
 * Signals and exit codes: 0 after a drain, 1 when something is wrong. SIGHUP reads the access file again, SIGUSR2 turns
 * debug lines on and off.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  const app = createApp(config);
  let stoppingSince: number | null = null;
  const isStopping = (): boolean => stoppingSince !== null;
  const stop = (signal: string): void => {
    if (stoppingSince !== null) {
      // A second signal does not wait for the drain.
      if (clock.monotonicMs() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppingSince = clock.monotonicMs();
    app.log.info('stopping', { signal });
    app.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        app.log.error('could not stop in order', { error });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    try {
      app.replaceAccess(loadAccess(config));
    } catch (error) {
      app.log.error('access file not valid; the rights of before hold', { error });
    }
  });
  let isVerbose = false;
  process.on('SIGUSR2', () => {
    isVerbose = !isVerbose;
    app.log.setLevel(isVerbose ? 'debug' : config.logLevel);
  });
  process.on('unhandledRejection', (error) => {
    app.log.error('unhandled rejection', { error });
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    app.log.error('uncaught exception', { error });
    process.exit(1);
  });
  try {
    await app.start();
  } catch (error) {
    // Stopped while it was starting: the stop decides the exit code.
    if (isStopping()) return;
    app.log.error('could not start', { error });
    await app.stop().catch(() => {});
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
