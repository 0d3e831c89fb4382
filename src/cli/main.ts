#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { createProgram } from './program.js';

// Ends with one of the codes of exit.ts. Data goes to stdout, everything else to stderr.

/** A command that does not end by itself once it is told is ended. */
const INTERRUPTED_MS = 1_000;

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
  setTimeout(() => process.exit(EXIT.interrupted), INTERRUPTED_MS).unref();
});
// A live screen gives the terminal back before the end, which the default would not let it.
for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.on(signal, () => process.exit(code));
// Whoever reads the output has read enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.refused);
});

let exit: ExitCode = EXIT.done;
try {
  await createProgram(interrupt.signal, (code) => (exit = code)).parseAsync(process.argv);
} catch (error) {
  exit = tell(error);
}
// Output still on its way to a slow reader arrives first.
process.stdout.write('', () => process.exit(exit));

/** Says what went wrong; answers the exit code. */
function tell(error: unknown): ExitCode {
  // It has said so itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (interrupt.signal.aborted) {
    process.stderr.write('interrupted\n');
    return EXIT.interrupted;
  }
  if (!(error instanceof CommandError)) throw error;
  process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}account-manager: ${error.message}\n`);
  return error.exit;
}
