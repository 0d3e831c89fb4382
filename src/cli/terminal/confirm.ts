import { createInterface } from 'node:readline/promises';
import { CommandError, EXIT } from '../exit.js';

const NOT_DONE = 'nothing was done';

/**
 * Asks a person on the terminal. Rejects where the answer is no, and where it is Ctrl-C. Prompts are for stderr: stdout
 * holds data only.
 */
export async function confirm(question: string, { hasColour }: { hasColour: boolean }): Promise<void> {
  const answer = hasColour ? await askInColour(question) : await askPlainly(question);
  if (answer === null) throw new CommandError(EXIT.interrupted, NOT_DONE);
  if (!answer) throw new CommandError(EXIT.refused, NOT_DONE);
}

/** Null: interrupted. */
async function askInColour(question: string): Promise<boolean | null> {
  // Only who is asked waits for it to load.
  const { confirm: ask, isCancel } = await import('@clack/prompts');
  const answer = await ask({ message: question, initialValue: false, output: process.stderr });
  return isCancel(answer) ? null : answer;
}

/** The prompt's own colours cannot be turned off. */
async function askPlainly(question: string): Promise<boolean | null> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = new Promise<null>((resolve) => {
    lines.once('SIGINT', () => resolve(null));
    lines.once('close', () => resolve(null));
  });
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), interrupted]);
    return answer === null ? null : /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
