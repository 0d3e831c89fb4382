import type { ErrorClass } from '../../../contracts/fields.js';
import { findCode } from './codes.js';
import { findNamedSeconds, findSeconds } from './durations.js';
import { readEvidence } from './evidence.js';
import { EARLIEST_DATE } from './fields.js';
import { blocks, type Decision, isVague, matchStatement, matchUnstated, readType, strikes } from './matchers.js';
import type { ClassifiedError, ErrorEffect, ErrorReport, Evidence, SaidRecord, TelegramError } from './types.js';

const MAX_WAIT_SECONDS = 14 * 24 * 60 * 60;
const DEFAULT_WAIT_SECONDS = 300;

/** Bounds the work: of a longer record this many lines are looked at one by one. */
const MAX_LINES = 100;

/**
 * Decides what a reported error is and what it does to the account.
 *
 * The surest evidence counts: a name or known sentence in the message, then in the code, then the reported type, then
 * the message's wording, then an error code. So a text that says more than the type decides, and one that says less
 * does not. Only evidence that may strike blocks or disables an account. A text nobody knows is `other` and changes
 * nothing, unless the report's type is `network_error` or `unknown_error`: then the error is counted.
 */
export function classifyError(report: ErrorReport): ClassifiedError {
  const evidence = readEvidence(report);
  const said = readStatements(evidence);
  const decided = decide(evidence, said);
  const seconds = decideSeconds(decided.error, evidence, said, report.reportedAt);
  return {
    errorClass: decided.error.errorClass,
    name: decided.error.name,
    seconds,
    effect: toEffect(decided, seconds, blocks(decided.error) ? findWaitBeside(evidence, said) : null),
    decidedBy: decided.evidence,
    found: decided.found,
  };
}

/** A record of the message and what it says of an error. */
interface Said {
  text: string;
  hit: Decision | null;
}

function readStatements(evidence: Evidence): Said[] {
  if (isVague(evidence.message)) return [];
  const hint = readType(evidence)?.error ?? null;
  return evidence.records.map((record) => ({ text: record.text, hit: readRecord(evidence, record, hint) }));
}

/** A statement about the account holds, even beside one about a target. A block weighs more than a wait. */
function readRecord(evidence: Evidence, { text, parts }: SaidRecord, hint: TelegramError | null): Decision | null {
  const match = (each: string): Decision | null => matchStatement({ ...evidence, text: each, hint });
  const isOfAccount = (hit: Decision | null): boolean => hit !== null && (isWait(hit.error) || strikes(hit.error));
  const hit = parts.map(match).find(isOfAccount) ?? match(text);
  if (!text.includes('\n') || (hit !== null && strikes(hit.error))) return hit;
  // The whole text decides what a word may mean: `Too many requests` is PEER_FLOOD only where no wait is named.
  const codes = [...evidence.codes, findCode(text) ?? 0];
  const lines = text
    .split('\n', MAX_LINES)
    .flatMap((line) => matchStatement({ ...evidence, codes, text: line, hint: hit?.error ?? hint }) ?? []);
  return findFlood(lines, hit);
}

/**
 * The last record that says anything counts. A wait for the account counts before what came later and does nothing to
 * it: the wait goes on. A block beside a wait counts before both.
 */
function decide(evidence: Evidence, said: readonly Said[]): Decision {
  const hits = said.flatMap(({ hit }) => hit ?? []);
  const [last] = hits;
  if (!last) return matchUnstated(evidence);
  const found = strikes(last.error) ? last : (findFlood(hits, last) ?? last);
  if (!blocks(found.error)) return found;
  const ends = [...hits.filter(({ error }) => blocks(error)).map(({ until }) => until ?? 0), ...evidence.ends];
  const until = Math.max(0, ...ends);
  return until === 0 ? found : { ...found, until };
}

/** The wait among hits where there is one, a block instead where both are; else the hit given. */
function findFlood(hits: readonly Decision[], given: Decision | null): Decision | null {
  const wait = given !== null && isWait(given.error) ? given : hits.find(({ error }) => isWait(error));
  return (wait && hits.find(({ error }) => blocks(error))) ?? wait ?? given;
}

const isWait = ({ outcome }: TelegramError): boolean => outcome === 'wait';

/** Errors whose number is a time. It is in seconds, but for `…_XMIN`. */
const CARRIES_SECONDS = /(?:WAIT|DELAY|FRESH|EARLY|FLOOD)(?:_[A-Z]+)?_X(?:MIN)?$/;
const WAIT_CLASSES: ReadonlySet<ErrorClass> = new Set(['flood_wait', 'premium_wait', 'slow_mode', 'takeout']);

/**
 * The longest wait of all that the text, its fields and the report name for the account: what Telegram says is never
 * shortened. For a wait in one chat, or for one method, only the records count that tell of it.
 */
function decideSeconds(
  error: TelegramError,
  evidence: Evidence,
  said: readonly Said[],
  reportedAt: number | undefined,
): number | null {
  const isWaitClass = WAIT_CLASSES.has(error.errorClass);
  if (!isWaitClass && !CARRIES_SECONDS.test(error.name ?? '')) return null;
  const telling = said.filter(({ hit }) => hit === null || hit.error === error || (isWait(error) && isWait(hit.error)));
  const text = [...(said.length === 0 ? [evidence.message] : telling.map((each) => each.text)), evidence.code].join(
    '\n',
  );
  const named = findNamedSeconds(`${text}\n${evidence.type}`, isWait(error) ? null : error.name);
  const until = evidence.ends.map((end) => (end - (reportedAt ?? end)) / 1000);
  const stated = [...named, findSeconds(text, named.length > 0), ...evidence.seconds, ...(isWaitClass ? until : [])];
  return longestOf(
    stated.filter((seconds) => seconds !== null && (isWaitClass || seconds < EARLIEST_DATE)) as number[],
  );
}

/** The longest wait, 1 s … 14 days; what is below 0 is none. */
function longestOf(seconds: readonly number[]): number | null {
  const longest = seconds.reduce((a, b) => (b > a ? b : a), -1);
  return longest < 0 ? null : Math.min(Math.max(Math.ceil(longest), 1), MAX_WAIT_SECONDS);
}

/** The longest wait that stands, in Telegram's words or in a field, beside an error that blocks. */
function findWaitBeside(evidence: Evidence, said: readonly Said[]): number | null {
  const text = [...said.map((each) => each.text), evidence.code, evidence.type].join('\n');
  const stated = findSeconds(text, true);
  return longestOf([...findNamedSeconds(text, null), ...(stated === null ? [] : [stated]), ...evidence.seconds]);
}

function toEffect(
  { error: { outcome }, mayStrike, until }: Decision,
  seconds: number | null,
  waitBeside: number | null,
): ErrorEffect {
  switch (outcome) {
    case 'wait':
      return { kind: 'wait', waitSeconds: seconds ?? DEFAULT_WAIT_SECONDS };
    case 'count_error':
    case 'none':
      return { kind: outcome };
    default:
      // Nothing else in this program blocks or disables an account for what a text says.
      if (!mayStrike) return { kind: 'count_error' };
      if (outcome !== 'block') return { kind: 'disable', reason: outcome };
      return {
        kind: outcome,
        ...(until !== undefined && { until }),
        ...(waitBeside !== null && { waitSeconds: waitBeside }),
      };
  }
}
