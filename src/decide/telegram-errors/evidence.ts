import { dropInvisible, keepBounds } from './clean-text.js';
import { isElsewhere } from './codes.js';
import { readFields } from './fields.js';
import { dropIdentifiers, dropQuoted } from './quoted.js';
import { NEXT_RECORD } from './source-lines.js';
import type { ErrorReport, Evidence, SaidRecord } from './types.js';

/** Bounds the work: of a longer text both ends are read, and the waits that it names between them. */
const MAX_TEXT = 16_384;
const MAX_NAME = 1024;
/** Bounds the work: of more errors in one text this many are looked at. */
const MAX_RECORDS = 100;

/** Errors that were gathered from several requests, and what stands between them. */
const GATHERED = /\b(?:(?:Multi|Aggregate)(?:Error|Exception)|ExceptionGroup)\b/;
const BETWEEN_GATHERED = /[,;]\s|\n|\)\s?\(/;

/** A text in the contract's spelling. In capitals `UNKNOWN_ERROR` is Telegram's, which means a bad request. */
export const toContractWord = (text: string): string =>
  text === 'UNKNOWN_ERROR' ? text : text.toLowerCase().replace(/[\s-]+/g, '_');

/** Reads every field of a report, whatever it holds. */
export function readEvidence(report: ErrorReport): Evidence {
  const { errorCode } = report;
  const isWord = typeof errorCode === 'string' && !/^\s*[-+]?\d+\s*$/.test(errorCode);
  const { lines, codes, seconds, ends, addresses } = readFields(toText(report.errorMessage));
  const type = toName(report.errorType);
  // A record often says the same twice, as its message and above its stack.
  const whole = [...new Set(lines)].join('\n');
  const bounded = keepBounds(whole, MAX_TEXT);
  const said = dropIdentifiers(dropQuoted(bounded).trim(), type);
  const message = said.replaceAll(NEXT_RECORD, '').trim();
  return {
    message,
    records: toRecords(said),
    code: isWord ? toName(errorCode) : '',
    type,
    contractWord: toContractWord((type || message).slice(0, 256)),
    codes: isWord || errorCode === undefined || errorCode === null ? codes : [Number(errorCode), ...codes],
    ends: ends.filter((end) => end > (report.reportedAt ?? Number.POSITIVE_INFINITY)),
    seconds: typeof report.seconds === 'number' ? [report.seconds, ...seconds] : seconds,
    isElsewhere: isElsewhere(`${type}\n${bounded}`, addresses.slice(0, 100)),
  };
}

/** A type or a code: it may be a whole traceback. */
const toName = (text: unknown): string => dropInvisible(keepBounds(toText(text), MAX_NAME)).trim();

const toText = (text: unknown): string => (typeof text === 'string' ? text : '');

/** The records of a text, the last one first. */
const toRecords = (text: string): SaidRecord[] =>
  text
    .split(NEXT_RECORD)
    .slice(-MAX_RECORDS)
    .reverse()
    .map((record) => record.trim())
    .filter((record) => record !== '')
    .map((record) => ({
      text: record,
      parts: GATHERED.test(record) ? record.split(BETWEEN_GATHERED, MAX_RECORDS) : [],
    }));
