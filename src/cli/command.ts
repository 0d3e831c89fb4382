import type { Command } from 'commander';
import type { CommonOptions, Context } from './context.js';
import type { ExitCode } from './exit.js';

/** Does the work of a command; an exit code other than 0 is answered or thrown. */
export type RunCommand<O> = (
  context: Context,
  options: O & CommonOptions,
  ...given: never[]
) => Promise<ExitCode | undefined> | ExitCode | undefined;

/** Ties commands to their work. */
export interface Tie {
  <O>(command: Command, work: RunCommand<O>): void;
}
