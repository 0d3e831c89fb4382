const COLOURS: Record<string, number> = { error: 31, warn: 33, info: 32, debug: 90 };
/** Width of the longest level that lines have. */
const LEVEL_WIDTH = 5;
/** A value that a person reads as one word. */
const WORD = /^[\w.:/@#+,-]+$/;
/** Control characters that a terminal would obey. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * A line for people: instant, level, sentence, then `name=value`. Secrets are hidden in it already. Whoever writes it
 * knows which process it is, so the instance is left out. Nothing in a value can begin a line or move the cursor. An
 * error takes one line. Its stack follows, indented, only at level error, which stands for a defect.
 */
export function writePretty(line: Record<string, unknown>, isColoured: boolean): string {
  const { timestamp, level, message, instance: _, ...fields } = line;
  const name = String(level).toUpperCase().padEnd(LEVEL_WIDTH);
  const colour = isColoured ? COLOURS[String(level)] : undefined;
  const sentence = plain(String(message));
  // Fields that the sentence names need not stand beside it.
  const words = Object.entries(fields).flatMap(([key, value]) =>
    typeof value === 'string' && value !== '' && sentence.includes(value) ? [] : [`${plain(key)}=${describe(value)}`],
  );
  const stack = level === 'error' ? stackOf(fields.error) : '';
  return [
    String(timestamp).replace('T', ' '),
    colour === undefined ? name : `\u001b[${colour}m${name}\u001b[0m`,
    ` ${sentence}`,
    ...words,
  ]
    .join(' ')
    .concat(stack);
}

const describe = (value: unknown): string => {
  if (isError(value)) return quote(tellError(value));
  if (typeof value === 'string') return WORD.test(value) ? value : quote(value);
  return plain(JSON.stringify(value));
};

const quote = (text: string): string => plain(JSON.stringify(text));

const plain = (text: string): string =>
  text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** As `redact` describes errors. */
interface DescribedError {
  name: string;
  message: string;
  code?: unknown;
  stack?: unknown;
  cause?: unknown;
  errors?: unknown;
}

const isError = (value: unknown): value is DescribedError =>
  typeof value === 'object' && value !== null && 'name' in value && 'message' in value;

/** "message (code), caused by …". */
function tellError({ name, message, code, cause, errors }: DescribedError): string {
  const inner = [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])].filter(isError).map(tellError);
  const own = `${message === '' ? name : message}${typeof code === 'string' ? ` (${code})` : ''}`;
  return [own, ...inner].join(', caused by ');
}

function stackOf(error: unknown): string {
  if (!isError(error) || typeof error.stack !== 'string') return '';
  const frames = error.stack.split('\n').filter((frame) => frame.startsWith('    at '));
  return frames.map((frame) => `\n${plain(frame)}`).join('');
}
