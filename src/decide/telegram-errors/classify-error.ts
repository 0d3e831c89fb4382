import type { ErrorClass } from '../../../contracts/fields.js';
import { findNamedSeconds, findSeconds } from './durations.js';
import { readEvidence } from './evidence.js';
import { type Decision, isVague, matchStatement, matchUnstated, readType, strikes } from './matchers.js';
import type { ClassifiedError, ErrorEffect, ErrorReport, Evidence, TelegramError } from './types.js';

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
  const seconds = decideSeconds(decided.error, evidence, said);
  return {
    errorClass: decided.error.errorClass,
    name: decided.error.name,
    seconds,
    effect: toEffect(decided, seconds),
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
  const match = (text: string): Decision | null => matchStatement({ ...evidence, text, hint });
  return evidence.records.map(({ text, parts }) => {
    // What Telegram said of the account holds, whatever it said of a target beside it.
    const severe = parts.map(match).find((hit) => hit !== null && (isWait(hit.error) || strikes(hit.error)));
    const hit = severe ?? match(text);
    const isSevere = hit !== null && (isWait(hit.error) || strikes(hit.error));
    const wait = isSevere || !text.includes('\n') ? undefined : text.split('\n', MAX_LINES).map(match).find(isWaitHit);
    return { text, hit: wait ?? hit };
  });
}

/**
 * The last record that says anything counts. A wait for the account counts before what came later and does nothing to
 * it: the wait goes on.
 */
function decide(evidence: Evidence, said: readonly Said[]): Decision {
  const hits = said.flatMap(({ hit }) => hit ?? []);
  const last = hits[0];
  if (last) return isWait(last.error) || strikes(last.error) ? last : (hits.find(({ error }) => isWait(error)) ?? last);
  return matchUnstated(evidence);
}

const isWaitHit = (hit: Decision | null): hit is Decision => hit !== null && isWait(hit.error);
const isWait = ({ outcome }: TelegramError): boolean => outcome === 'wait';

/** Errors whose number is a time. It is in seconds, but for `…_XMIN`. */
const CARRIES_SECONDS = /(?:WAIT|DELAY|FRESH|EARLY|FLOOD)(?:_[A-Z]+)?_X(?:MIN)?$/;
const WAIT_CLASSES: ReadonlySet<ErrorClass> = new Set(['flood_wait', 'premium_wait', 'slow_mode', 'takeout']);
/** From here on a number in an error's name is a date in seconds since 1970 (`STORY_SEND_FLOOD_1790000000`). */
const EARLIEST_DATE = 1_000_000_000;

/**
 * The longest wait of all that the text, its fields and the report name for the account: what Telegram says is never
 * shortened. Of a wait in one chat or for one method only the records count that tell of it.
 */
function decideSeconds(error: TelegramError, evidence: Evidence, said: readonly Said[]): number | null {
  const isWaitClass = WAIT_CLASSES.has(error.errorClass);
  if (!isWaitClass && !CARRIES_SECONDS.test(error.name ?? '')) return null;
  const telling = said.filter(({ hit }) => hit === null || hit.error === error || (isWait(error) && isWait(hit.error)));
  const text = [...(said.length === 0 ? [evidence.message] : telling.map((each) => each.text)), evidence.code].join(
    '\n',
  );
  const named = findNamedSeconds(`${text}\n${evidence.type}`, isWait(error) ? null : error.name);
  const stated = [...named, findSeconds(text, named.length > 0), ...evidence.seconds];
  const found = stated
    .filter((seconds): seconds is number => seconds !== null && seconds >= 0)
    .filter((seconds) => isWaitClass || seconds < EARLIEST_DATE);
  return found.length === 0 ? null : Math.min(Math.max(Math.ceil(Math.max(...found)), 1), MAX_WAIT_SECONDS);
}

function toEffect({ error: { outcome }, mayStrike, until }: Decision, seconds: number | null): ErrorEffect {
  switch (outcome) {
    case 'wait':
      return { kind: 'wait', waitSeconds: seconds ?? DEFAULT_WAIT_SECONDS };
    case 'count_error':
    case 'none':
      return { kind: outcome };
    default:
      // Nothing else in this program blocks or disables an account for what a text says.
      if (!mayStrike) return { kind: 'count_error' };
      return outcome === 'block'
        ? { kind: outcome, ...(until !== undefined && { until }) }
        : { kind: 'disable', reason: outcome };
  }
}
