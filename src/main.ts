import { createApp } from './app.js';
import { ConfigError, loadAccess, loadConfig } from './config.js';

/**
 * Signals and exit codes: 0 after a drain, 1 when something is wrong. SIGHUP reads the access file again, SIGUSR2 turns
 * debug lines on and off.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  const app = createApp(config);
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const stop = (signal: string): void => {
    // A second signal does not wait for the drain.
    if (stopping) process.exit(1);
    stopping = true;
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
