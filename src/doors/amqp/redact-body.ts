import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ENVELOPE } from '../../../contracts/envelope.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { findExcess } from '../decode-message.js';

const REDACTED = '[redacted]';
const SECRET_KEYS: ReadonlySet<string> = new Set(['session_data', 'phone']);
/** A longer text is not searched for secrets, but replaced by a note. */
const MAX_TEXT_LENGTH = 32 * 1024;
/** So much is searched before others have their turn: some milliseconds. */
const PIECE_LENGTH = 16 * 1024;
/** So much is hashed before others have their turn. */
const HASHED_BYTES = 1024 * 1024;

/**
 * A request's body as it may be kept for an operator: whole, but for sessions, phone numbers and what looks like a
 * secret, and for texts of more than 32 KiB, which are replaced by a note of their length and hash. So is a body of more
 * than 256 KiB (contract, section 1), and one that is no JSON where it is long or may hold secrets: on an operator's
 * request, or when it speaks of them, in UTF-16 too. Works piece by piece: no body holds the process up.
 */
export async function redactBody(body: Buffer, operation: string): Promise<Buffer> {
  if (body.length > ENVELOPE.maxBodyBytes) return noteOf(body);
  const parsed = parse(body);
  if (parsed === undefined) {
    const isKept = body.length <= MAX_TEXT_LENGTH && !operation.startsWith('admin.') && !speaksOfSecrets(body);
    return isKept ? unlessSame(body, body.toString('utf8')) : noteOf(body);
  }
  const named = JSON.stringify(parsed, (key, value: unknown) =>
    SECRET_KEYS.has(key) && value !== null ? REDACTED : value,
  );
  await nextTurn();
  const hidden = await hideInJson(named);
  return hidden === JSON.stringify(parsed) ? body : Buffer.from(hidden);
}

/** JSON text without secrets; still JSON. Cut between values only, so that no secret lies on both sides of a cut. */
async function hideInJson(json: string): Promise<string> {
  let hidden = '';
  let piece = '';
  let keptTo = 0;
  const endPiece = async (at: number): Promise<void> => {
    hidden += hideSecrets(piece + json.slice(keptTo, at));
    piece = '';
    keptTo = at;
    await nextTurn();
  };
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === ',' && at - keptTo + piece.length >= PIECE_LENGTH) await endPiece(at);
    if (character !== '"') continue;
    const end = findStringEnd(json, at);
    if (end - at > MAX_TEXT_LENGTH) {
      piece += json.slice(keptTo, at) + JSON.stringify(noteOfText(json.slice(at + 1, end - 1)));
      keptTo = end;
    }
    at = end - 1;
  }
  return hidden + hideSecrets(piece + json.slice(keptTo));
}

/** @param from the opening quote of a string in sound JSON; answers the index behind its closing one */
function findStringEnd(json: string, from: number): number {
  let at = from + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** NUL bytes part the letters of UTF-16, so that no word would be found between them. */
function speaksOfSecrets(body: Buffer): boolean {
  const hasNul = body.includes(0);
  const words = hasNul ? Buffer.from(body.filter((byte) => byte !== 0)) : body;
  if ([...SECRET_KEYS].some((key) => words.includes(key))) return true;
  return hasNul && hideSecrets(words.toString('utf8')) !== words.toString('utf8');
}

/** The text without secrets; where it holds none, the body as it came. */
function unlessSame(body: Buffer, text: string): Buffer {
  const hidden = hideSecrets(text);
  return hidden === text ? body : Buffer.from(hidden);
}

/** The body as JSON; undefined where it is none, or deeper or of more values than is looked into. */
function parse(body: Buffer): unknown {
  if (findExcess(body) !== null) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** @param text as JSON writes it */
const noteOfText = (text: string): string =>
  `[text of ${text.length} characters, SHA-256 ${createHash('sha256').update(text).digest('hex')}]`;

async function noteOf(body: Buffer): Promise<Buffer> {
  const hash = createHash('sha256');
  for (let at = 0; at < body.length; at += HASHED_BYTES) {
    hash.update(body.subarray(at, at + HASHED_BYTES));
    if (at > 0) await nextTurn();
  }
  return Buffer.from(JSON.stringify({ unreadable_body: { bytes: body.length, sha256: hash.digest('hex') } }));
}
