import { createHash } from 'node:crypto';

const names = new Map<string, string>();

/** Names a statement by its text, so that a connection parses it once. The texts are those of the code: few. */
export function nameStatement(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    names.set(text, name);
  }
  return name;
}
