import { createHash } from 'node:crypto';
import { ENVELOPE } from '../../../contracts/envelope.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { isDeeperThan } from '../decode-message.js';

const REDACTED = '[redacted]';
const SECRET_KEYS: ReadonlySet<string> = new Set(['session_data', 'phone']);

/**
 * A request's body as it may be kept for an operator: whole, but for sessions, phone numbers and what looks like a
 * secret. A body that is no JSON is replaced by a note of its size and hash where it may hold some: on an operator's
 * request, or when it speaks of them, in UTF-16 too.
 */
export function redactBody(body: Buffer, operation: string): Buffer {
  const parsed = parse(body);
  if (parsed === undefined) {
    if (operation.startsWith('admin.') || speaksOfSecrets(body)) return noteOf(body);
    // Megabytes are not searched for what only looks like a secret: everything else would wait.
    return body.length > ENVELOPE.maxBodyBytes ? body : unlessSame(body, body.toString('utf8'));
  }
  const named = JSON.stringify(parsed, (key, value: unknown) =>
    SECRET_KEYS.has(key) && value !== null ? REDACTED : value,
  );
  return named === JSON.stringify(parsed) ? unlessSame(body, named) : Buffer.from(hideSecrets(named));
}

/** NUL bytes part the letters of UTF-16, so that no word would be found between them. */
function speaksOfSecrets(body: Buffer): boolean {
  const hasNul = body.includes(0);
  if (hasNul && body.length > ENVELOPE.maxBodyBytes) return true;
  const words = hasNul ? Buffer.from(body.filter((byte) => byte !== 0)) : body;
  if ([...SECRET_KEYS].some((key) => words.includes(key))) return true;
  return hasNul && hideSecrets(words.toString('utf8')) !== words.toString('utf8');
}

/** The text without secrets; where it holds none, the body as it came. */
function unlessSame(body: Buffer, text: string): Buffer {
  const hidden = hideSecrets(text);
  return hidden === text ? body : Buffer.from(hidden);
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
