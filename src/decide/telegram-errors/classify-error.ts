import type { DisabledReason, ErrorClass } from '../../../contracts/fields.js';
import { lookUpWords, type TelegramError } from './telegram-errors.js';
import { type Evidence, findSeconds, readEvidence, toContractWord } from './evidence.js';
import { guessError } from './guess.js';
import { type Found, findCode, findNames, findSentence, isElsewhere, MAX_NAME, normaliseText } from './search.js';

/** What a caller reports of an error, in the words of whatever client library it uses. Any of it may be missing. */
export interface ErrorReport {
  /** The contract's `error_type`, a Telegram error name or an exception class. */
  errorType?: string | null;
  errorMessage?: string | null;
  /** A number, a number as text, or a name. */
  errorCode?: number | string | null;
  /** The wait the caller knows of, in seconds. */
  seconds?: number | null;
}

/** What an error does to the account. */
export type ErrorEffect =
  /** 1 … 1,209,600 s (14 days). */
  | { kind: 'wait'; waitSeconds: number }
  /** Telegram's anti-spam; how long is not decided here. */
  | { kind: 'block' }
  | { kind: 'disable'; reason: Exclude<DisabledReason, 'manual'> }
  | { kind: 'count_error' }
  | { kind: 'none' };

export interface ClassifiedError {
  errorClass: ErrorClass;
  /** The error's canonical name, with `X` for its number (`FLOOD_WAIT_X`); null where none was found. */
  name: string | null;
  /** How long the report says to wait, 1 … 1,209,600; null where it says nothing or the error has no such number. */
  seconds: number | null;
  effect: ErrorEffect;
}

const MAX_WAIT_SECONDS = 14 * 24 * 60 * 60;
const DEFAULT_WAIT_SECONDS = 300;

/** `error_type`s of the contract that are not what they would spell as a Telegram name; null: it says nothing. */
const CONTRACT_TYPES: ReadonlyMap<string, TelegramError | null> = new Map([
  ['auth_key_error', { name: null, errorClass: 'auth', outcome: 'needs_reauth' }],
  ['privacy_restricted', { name: null, errorClass: 'privacy', outcome: 'none' }],
  ['network_error', null],
  ['unknown_error', null],
]);

/**
 * Decides what a reported error is and what it does to the account.
 *
 * The surest evidence counts: a name or known sentence in the message, then in the code, then the reported type, then
 * the message's wording, then an error code. So a text that says more than the type decides, and one that says less
 * does not. Only whole names and whole known sentences block or disable an account, and a 401 or -404 with nothing
 * unknown beside it. A text nobody knows is `other` and changes nothing, unless the report's type is `network_error`
 * or `unknown_error`: then the error is counted.
 */
export function classifyError(report: ErrorReport): ClassifiedError {
  const evidence = readEvidence(report);
  const { error, token } = decideError(evidence);
  const seconds = decideSeconds(error, token, evidence, report.seconds);
  return { errorClass: error.errorClass, name: error.name, seconds, effect: toEffect(error, seconds) };
}

function decideError(evidence: Evidence): Found {
  const { code, type } = evidence;
  // `Unknown error` says as little in the message.
  const message = CONTRACT_TYPES.get(toContractWord(evidence.message)) === null ? '' : evidence.message;
  const contractual = CONTRACT_TYPES.get(evidence.contractWord);
  const alone = { type, codes: [] };
  const byType = contractual === undefined ? (findError(type, null, alone) ?? findWords(type)) : asFound(contractual);
  return (
    findError(message, byType?.error ?? null, evidence) ??
    findWholeMessage(message) ??
    findError(code, null, alone) ??
    findWords(code) ??
    byType ?? { error: guessError(evidence), token: '' }
  );
}

const asFound = (error: TelegramError | null): Found | null => error && { error, token: '' };

/** The name that a text is, in whatever spelling: `Peer Flood`. */
function findWords(text: string): Found | null {
  if (text.length > MAX_NAME) return null;
  const token = text.replace(/^\W+|\W+$/g, '');
  const error = lookUpWords(token);
  return error && { error, token };
}

/** A message that is nothing but a name; in several words it may be of somebody else (`User deactivated`). */
function findWholeMessage(message: string): Found | null {
  const found = findWords(message);
  return found && /\s/.test(message) && toEffect(found.error, null).kind === 'disable' ? null : found;
}

/**
 * Where the next of several errors begins that came one after the other: how Python joins the tracebacks of one chain,
 * and a log's next record. The last of them is the error that the caller met.
 */
const NEXT_ERROR =
  /^(?=(?:[^\n|]{0,64}\| )?(?:During handling of the above exception|The above exception was the direct cause|\[?\d{4}-\d\d-\d\d[ T]\d\d:|(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL)[: ]))/m;
/** Errors that were gathered from several requests, and what stands between them. */
const GATHERED = /\b(?:(?:Multi|Aggregate)(?:Error|Exception)|ExceptionGroup)\b/;
const BETWEEN_GATHERED = /[,;]\s|\n|\)\s?\(/;

/** Bounds the work: of more errors in one text this many are looked at. */
const MAX_ERRORS = 100;

/** What stands beside a text. */
type Beside = Pick<Evidence, 'type' | 'codes'>;

/** The error that a text names or describes in known words; `hint` and `beside` choose between a sentence's meanings. */
function findError(text: string, hint: TelegramError | null, beside: Beside): Found | null {
  for (const part of text.split(NEXT_ERROR).slice(-MAX_ERRORS).reverse()) {
    const gathered = GATHERED.test(part) ? part.split(BETWEEN_GATHERED, MAX_ERRORS) : [];
    const each = gathered.flatMap((one) => findOneError(one, hint, beside) ?? []);
    // What Telegram said of the account holds, whatever it said of a target beside it.
    const found = each.find(({ error }) => strikesAccount(error)) ?? findOneError(part, hint, beside);
    if (found) return found;
  }
  return null;
}

const strikesAccount = ({ outcome }: TelegramError): boolean => outcome !== 'none' && outcome !== 'count_error';

function findOneError(text: string, hint: TelegramError | null, { type, codes }: Beside): Found | null {
  const { wire, byClass, spelled, unknown } = findNames(text);
  if (wire) return wire;
  const hints = [byClass?.error ?? null, hint];
  const meant = chooseMeaning(findSentence(normaliseText(text)), hints, [...codes, findCode(text) ?? 0]);
  // `[401 Unauthorized] - [401 SOMETHING_NEW]`: the name says what happened, and it is not known to be fatal.
  // `Tunnel connection failed: 401 Unauthorized`: it is not Telegram that says so.
  const isGeneric = meant?.name === 'UNAUTHORIZED' && (unknown !== null || isElsewhere(`${type}\n${text}`));
  return asFound(isGeneric ? null : meant) ?? byClass ?? spelled;
}

function chooseMeaning(
  meanings: readonly TelegramError[],
  hints: readonly (TelegramError | null)[],
  codes: readonly number[],
): TelegramError | null {
  const hinted = meanings.find(({ errorClass }) => hints.some((hint) => hint?.errorClass === errorClass));
  const isFlood = codes.includes(420) || codes.includes(429);
  const flood = isFlood ? meanings.find(({ errorClass }) => errorClass === 'flood_wait') : undefined;
  return hinted ?? flood ?? meanings[0] ?? null;
}

/** Errors whose number is a time. It is in seconds, but for `…_XMIN`. */
const CARRIES_SECONDS = /(?:WAIT|DELAY|FRESH|EARLY|FLOOD)(?:_[A-Z]+)?_X(?:MIN)?$/;
const WAIT_CLASSES: ReadonlySet<ErrorClass> = new Set(['flood_wait', 'premium_wait', 'slow_mode', 'takeout']);
/** From here on a number in an error's name is a date in seconds since 1970 (`STORY_SEND_FLOOD_1790000000`). */
const EARLIEST_DATE = 1_000_000_000;

/** The wait of the text, of its fields or of the report, whichever is longest: what Telegram says is never shortened. */
function decideSeconds(
  error: TelegramError,
  token: string,
  evidence: Evidence,
  reported: number | null | undefined,
): number | null {
  const isWait = WAIT_CLASSES.has(error.errorClass);
  if (!isWait && !CARRIES_SECONDS.test(error.name ?? '')) return null;
  const [, digits, minutes] = /(\d+)(?:S|(MIN))?$/i.exec(token) ?? [];
  const named = Number(digits ?? Number.NaN) * (minutes ? 60 : 1);
  const texts = `${evidence.message}\n${evidence.code}`;
  const stated = Number.isNaN(named) ? [evidence.seconds.find(isDuration), findSeconds(texts)] : [named];
  const found = [...stated, reported].filter(isDuration).filter((seconds) => isWait || seconds < EARLIEST_DATE);
  return found.length === 0 ? null : Math.min(Math.max(Math.ceil(Math.max(...found)), 1), MAX_WAIT_SECONDS);
}

const isDuration = (seconds: number | null | undefined): seconds is number =>
  typeof seconds === 'number' && seconds >= 0;

function toEffect({ outcome }: TelegramError, seconds: number | null): ErrorEffect {
  switch (outcome) {
    case 'wait':
      return { kind: 'wait', waitSeconds: seconds ?? DEFAULT_WAIT_SECONDS };
    case 'block':
    case 'count_error':
    case 'none':
      return { kind: outcome };
    case 'banned':
    case 'deactivated':
    case 'frozen':
    case 'needs_reauth':
      return { kind: 'disable', reason: outcome };
    default:
      return outcome satisfies never;
  }
}
