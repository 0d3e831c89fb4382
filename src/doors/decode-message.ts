import { ENVELOPE } from '../../contracts/envelope.js';
import {
  isOperationName,
  maxBodyBytesOf,
  maxBodyValuesOf,
  type Operation,
  OPERATIONS,
} from '../../contracts/operations.js';
import type { FailureReply } from '../../contracts/failures.js';
import { refuse, refuseInvalid } from '../requests/refuse.js';

/** One thing wrong with a request: where, and the rule it breaks. */
export interface Issue {
  /** Keys and indexes joined by dots; empty for the body itself. */
  path: string;
  message: string;
}

export type DecodedBody = { ok: true; body: Record<string, unknown> } | { ok: false; refusal: FailureReply };

/** More faults than these say nothing new, and an answer stays small. */
const MAX_ISSUES = 20;
/** A key longer than this is cut in a path. */
const MAX_KEY_LENGTH = 80;

const SURROGATE = /[\ud800-\udfff]/;
const HALF_SURROGATE = /\p{Surrogate}/u;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a request's body: a JSON object in UTF-8 of at most 256 KiB (`admin.register`: 4 MiB) and 16 levels (contract
 * section 2), with at most 40,000 values (`admin.register`: 200,000) and 2,000 fields in one object. Size, depth and
 * these numbers are judged before anything is parsed, so that a hostile body costs one pass over its bytes at most.
 * Refuses any other body with `MALFORMED_MESSAGE`, and the findings of `findIssues` with `VALIDATION_FAILED`.
 * @param operation the routing key; may name no operation, and then nothing is passed over
 */
export function decodeBody(bytes: Uint8Array, operation?: string): DecodedBody {
  const malformed = (rule: string): DecodedBody => ({
    ok: false,
    refusal: refuse('MALFORMED_MESSAGE', { message: `body: ${rule}` }),
  });
  if (bytes.length === 0) return malformed('must be a JSON object, but is empty');
  const maxBytes = maxBodyBytesOf(operation ?? '');
  if (bytes.length > maxBytes) return malformed(`must be at most ${maxBytes} bytes, but has ${bytes.length}`);
  const excess = findExcess(bytes, { ...ENVELOPE, maxBodyValues: maxBodyValuesOf(operation ?? '') });
  if (excess !== null) return malformed(excess);

  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return malformed('must be UTF-8');
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, and a body may hold secrets.
    return malformed('must be JSON');
  }
  if (!isObject(body)) return malformed(`must be a JSON object, but is ${nameKind(body)}`);

  const issues = findIssues(body, unkeptIn(operation));
  return issues.length === 0 ? { ok: true, body } : { ok: false, refusal: refuseInvalid(issues) };
}

type JsonBounds = Record<'maxBodyDepth' | 'maxBodyValues' | 'maxObjectFields', number>;

/**
 * The bound that a JSON text breaks by its depth, its number of values or of fields in one object; null where it breaks
 * none. Counts brackets and commas outside strings; never recurses, so that depth costs nothing.
 */
export function findExcess(
  json: Uint8Array,
  { maxBodyDepth: maxDepth, maxBodyValues: maxValues, maxObjectFields: maxFields }: JsonBounds = ENVELOPE,
): string | null {
  let depth = 0;
  let values = 0;
  /** How many fields the open object of each depth has so far; of an array nothing is counted. */
  const fields: number[] = [];
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case 0x22: // "
        inString = !inString;
        break;
      case 0x5c: // a backslash: what follows it ends no string
        if (inString) at++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (inString) break;
        if (++depth > maxDepth) return `must be at most ${maxDepth} levels deep`;
        fields[depth] = json[at] === 0x7b ? 1 : Number.NEGATIVE_INFINITY;
        values++;
        break;
      case 0x2c: // ,
        if (inString) break;
        values++;
        fields[depth] = (fields[depth] ?? 0) + 1;
        if ((fields[depth] ?? 0) > maxFields) return `must have at most ${maxFields} fields in one object`;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (!inString) depth--;
        break;
      default:
    }
    if (values > maxValues) return `must have at most ${maxValues} values`;
  }
  return null;
}

function unkeptIn(operation: string | undefined): readonly string[] {
  if (operation === undefined || !isOperationName(operation)) return [];
  const { unkept = [] }: Operation = OPERATIONS[operation];
  return unkept;
}

/**
 * Finds values that no field of any request may hold, whatever its schema says: NUL (PostgreSQL cannot store it), half
 * of a surrogate pair (not representable in UTF-8), a `__proto__` key (would forge properties when copied), a number
 * beyond the finite ones (`1e999`). Recurses, so its argument must be of bounded depth.
 * @param unkept fields of the value that may hold text which no store keeps
 */
export function findIssues(value: unknown, unkept: readonly string[] = []): Issue[] {
  const issues: Issue[] = [];
  const path: (string | number)[] = [];
  const addIssue = (message: string) => {
    if (issues.length < MAX_ISSUES) issues.push({ path: path.map(printable).join('.'), message });
  };
  const textFault = (text: string) => (unkept.includes(String(path[0])) ? null : findTextFault(text));
  const visit = (visited: unknown): void => {
    if (typeof visited === 'string') {
      const fault = textFault(visited);
      if (fault !== null) addIssue(fault);
    } else if (typeof visited === 'number') {
      if (!Number.isFinite(visited)) addIssue('must be a finite number');
    } else if (Array.isArray(visited)) {
      for (let index = 0; index < visited.length; index++) {
        path.push(index);
        visit(visited[index]);
        path.pop();
      }
    } else if (typeof visited === 'object' && visited !== null) {
      visitFields(visited as Record<string, unknown>);
    }
  };
  const visitFields = (object: Record<string, unknown>): void => {
    for (const key of Object.keys(object)) {
      path.push(key);
      const fault = key === '__proto__' ? 'must not be used' : textFault(key);
      if (fault !== null) addIssue(`as a key ${fault}`);
      visit(object[key]);
      path.pop();
    }
  };
  visit(value);
  return issues;
}

function findTextFault(text: string): string | null {
  if (text.includes('\0')) return 'must not contain NUL characters';
  // Most texts have no surrogates at all, and the first question is cheap.
  if (SURROGATE.test(text) && HALF_SURROGATE.test(text)) return 'must not contain half of a surrogate pair';
  return null;
}

/** A key as JSON writes it: what cannot be printed is escaped. */
const printable = (key: string | number): string =>
  typeof key === 'number' ? String(key) : JSON.stringify(key.slice(0, MAX_KEY_LENGTH)).slice(1, -1);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function nameKind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
