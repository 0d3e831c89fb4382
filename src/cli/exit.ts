import type { FailureCode } from '../../contracts/failures.js';

/** Meanings of the command's exit codes (docs/command-line.md). */
export const EXIT = {
  done: 0,
  /** Nothing was done, or not everything; an awaited condition did not come about; a check failed. */
  refused: 1,
  /** The command line, a value in it or the profile is wrong. */
  usage: 2,
  /** The service cannot be reached, or cannot serve now. Nothing was done; the same command may be tried again. */
  unreachable: 3,
  /** No token, a wrong one, or one without the right. */
  forbidden: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with an exit code and one sentence for a person. */
export class CommandError extends Error {
  readonly exit: ExitCode;
  /** Where the service has refused. */
  readonly code: FailureCode | null;

  constructor(exit: ExitCode, message: string, code: FailureCode | null = null) {
    super(message);
    this.name = 'CommandError';
    this.exit = exit;
    this.code = code;
  }
}

export const usageError = (message: string): CommandError => new CommandError(EXIT.usage, message);

/** The exit code for a refusal of the service. */
export const exitOf = (code: FailureCode): ExitCode => {
  switch (code) {
    case 'UNAUTHENTICATED':
    case 'FORBIDDEN':
      return EXIT.forbidden;
    case 'VALIDATION_FAILED':
    case 'MALFORMED_MESSAGE':
      return EXIT.usage;
    case 'UNAVAILABLE':
      return EXIT.unreachable;
    default:
      return EXIT.refused;
  }
};
