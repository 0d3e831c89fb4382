import { createHash } from 'node:crypto';
import { ENVELOPE } from '../../contracts/envelope.js';
import { isDeeperThan } from './decode-message.js';

const REDACTED = '[redacted]';
const SECRET_KEYS: ReadonlySet<string> = new Set(['session_data', 'phone']);
/** As long as the shortest session string there is, wherever it may stand. */
const SESSION_LOOKS = /^[A-Za-z0-9+/_-]{300,}={0,2}$/;

/**
 * A request's body as it may be kept for an operator: whole, but for sessions and phone numbers. A body that cannot be
 * searched for them is replaced by a note of its size and hash where it may hold some: on an operator's request, or
 * when it speaks of them.
 */
export function redactBody(body: Buffer, operation: string): Buffer {
  const parsed = parse(body);
  if (parsed === undefined) {
    const mayHoldSecrets = operation.startsWith('admin.') || [...SECRET_KEYS].some((key) => body.includes(key));
    return mayHoldSecrets ? noteOf(body) : body;
  }
  let found = 0;
  const redacted = JSON.stringify(parsed, (key, value: unknown) => {
    const isSecret =
      (SECRET_KEYS.has(key) && value !== null) || (typeof value === 'string' && SESSION_LOOKS.test(value));
    if (!isSecret) return value;
    found++;
    return REDACTED;
  });
  return found > 0 ? Buffer.from(redacted) : body;
}

/** The body as JSON; undefined where it is none, or larger or deeper than is looked into. */
function parse(body: Buffer): unknown {
  if (body.length > ENVELOPE.maxBodyBytes || isDeeperThan(body, ENVELOPE.maxBodyDepth)) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function noteOf(body: Buffer): Buffer {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return Buffer.from(JSON.stringify({ unreadable_body: { bytes: body.length, sha256 } }));
}
