import type { LogFormat } from '../telemetry/log.js';

/** A variable and the rule it breaks; never its value, which may be secret. */
export interface ConfigProblem {
  variable: string;
  rule: string;
}

/** Says everything that is wrong at once, one problem a line. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  /** The form in which they are to be told. */
  readonly logFormat: LogFormat;

  constructor(problems: readonly ConfigProblem[], logFormat: LogFormat = 'json') {
    super(problems.map(({ variable, rule }) => `${variable}: ${rule}`).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    this.logFormat = logFormat;
  }
}
