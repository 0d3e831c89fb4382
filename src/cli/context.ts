import { clock } from '../clock.js';
import { type Client, createClient } from './client.js';
import { type ConnectionFlags, findConnection } from './connection.js';
import { readEnvironment } from './environment.js';
import { usageError } from './exit.js';
import { confirm } from './terminal/confirm.js';
import { createPaint, type Paint } from './terminal/paint.js';
import type { Format } from './terminal/print.js';

/** The options that every command takes. */
export interface CommonOptions extends ConnectionFlags {
  output: Format;
}

/** Resources that a command works with. */
export interface Context {
  client: Client;
  format: Format;
  /** Colours what goes to stdout. */
  paint: Paint;
  /** Aborts when the user interrupts the command. */
  signal: AbortSignal;
  /** Milliseconds of this machine's clock. */
  now: () => number;
  /** A line of data to stdout. */
  print: (text: string) => void;
  /** A line about the work to stderr. */
  say: (text: string) => void;
  /** How far the work is, on one line of stderr that is written over; nothing where stderr is no terminal. */
  progress: (text: string | null) => void;
  /** Returns where a person agrees, or `yes` is set. Refuses where nobody can be asked. */
  confirm: (question: string, options: { yes: boolean }) => Promise<void>;
}

export function createContext(options: CommonOptions, signal: AbortSignal): Context {
  const environment = readEnvironment();
  const takesColour = (stream: NodeJS.WriteStream) =>
    stream.isTTY && !environment.noColour && environment.term !== 'dumb';
  const paintError = createPaint(takesColour(process.stderr));
  const progress = (text: string | null): void => {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\x1b[K${text === null ? '' : paintError('faint', text)}`);
  };
  return {
    client: createClient(findConnection(options, environment), signal),
    format: options.output,
    paint: createPaint(takesColour(process.stdout)),
    signal,
    now: clock.now,
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => {
      progress(null);
      process.stderr.write(`${text}\n`);
    },
    progress,
    confirm: async (question, { yes }) => {
      if (yes) return;
      if (!process.stdin.isTTY || !process.stderr.isTTY) {
        throw usageError(`${question} There is no terminal to ask on: say --yes`);
      }
      await confirm(question, { hasColour: takesColour(process.stderr) });
    },
  };
}
