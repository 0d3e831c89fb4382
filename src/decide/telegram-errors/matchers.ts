import { findCode, findTransportCode } from './codes.js';
import { toContractWord } from './evidence.js';
import { findNames, findWords, type NamesFound } from './names.js';
import { findRestriction } from './restriction-end.js';
import { findSentence, normaliseText } from './sentences.js';
import { lookUpCode, lookUpFamily } from './table.js';
import type { Evidence, Hit, Matcher, TelegramError } from './types.js';
import { findWording, OTHER, TRANSIENT, UNKNOWN } from './wording.js';

/** `error_type`s of the contract that are not what they would spell as a Telegram name; null: it says nothing. */
const CONTRACT_TYPES: ReadonlyMap<string, TelegramError | null> = new Map([
  ['auth_key_error', { name: null, errorClass: 'auth', outcome: 'needs_reauth' }],
  ['privacy_restricted', { name: null, errorClass: 'privacy', outcome: 'none' }],
  ['network_error', null],
  ['unknown_error', null],
]);
const VAGUE_TYPES: ReadonlyMap<string, TelegramError> = new Map([
  ['network_error', TRANSIENT],
  ['unknown_error', UNKNOWN],
]);

/** A text, and what stands beside it. */
export interface Statement extends Pick<Evidence, 'type' | 'codes' | 'isElsewhere'> {
  text: string;
  names: NamesFound;
  /** Error that the report's type suggests. It chooses between a sentence's meanings. */
  hint: TelegramError | null;
}

/** A hit, and the evidence that it came by. */
export type Decision = Hit & Pick<Matcher, 'evidence' | 'mayStrike'>;

/** As `Matcher`, of one statement. */
interface StatementMatcher extends Omit<Matcher, 'find'> {
  find: (statement: Statement) => Hit | null;
}

const named = (error: TelegramError | null): Hit | null => error && { error, found: error.name };

/** Matchers of one statement, the surest first: whole names, known sentences, codes of the transport. */
const STATEMENT_MATCHERS: readonly StatementMatcher[] = [
  { evidence: 'name', mayStrike: true, find: ({ names }) => named(names.wire) },
  { evidence: 'transport_code', mayStrike: true, find: toTransportError },
  { evidence: 'sentence', mayStrike: true, find: toSentence },
  { evidence: 'restriction', mayStrike: true, find: ({ text }) => toRestriction(text) },
  { evidence: 'class_name', mayStrike: true, find: ({ names }) => named(names.byClass) },
  { evidence: 'spelling', mayStrike: true, find: ({ names }) => named(names.spelled) },
];

function toRestriction(text: string): Hit | null {
  const restriction = findRestriction(text);
  if (restriction === null) return null;
  return {
    error: { name: null, errorClass: 'restricted', outcome: 'block' },
    found: restriction.until === null ? 'limited' : 'limited until',
    ...(restriction.until !== null && { until: restriction.until }),
  };
}

/** -429 and -444 wherever they stand; -404 only in words of a transport's error: alone it is judged as a code. */
function toTransportError({ text, codes, type }: Statement): Hit | null {
  const stated = findTransportCode(text) ?? (/transport/i.test(type) ? findTransportCode(`${type}: ${text}`) : null);
  const field = codes.find((code) => code === -429 || code === -444);
  const code = stated !== null && (stated.isCertain || stated.code !== -404) ? stated.code : field;
  if (code === undefined) return null;
  const error = lookUpCode(code);
  return error && { error, found: String(code) };
}

/** A sentence this short may be anybody's: `Unauthorized`, `Too many requests`, `The session has expired`. */
const FEW_WORDS = 6;
const IS_TELEGRAMS = /caused by|telegram|rpc ?error/i;

function toSentence({ text, names, hint, codes, type, isElsewhere }: Statement): Hit | null {
  const sentence = findSentence(normaliseText(text));
  if (sentence === null) return null;
  const isAnybodys =
    isElsewhere && sentence.text.split(' ').length <= FEW_WORDS && !IS_TELEGRAMS.test(`${type} ${text}`);
  const error = chooseMeaning(sentence.errors, [names.byClass, hint], [...codes, findCode(text) ?? 0]);
  // `[401 Unauthorized] - [401 SOMETHING_NEW]`: the name says what happened, and it is not known to be fatal.
  // `Tunnel connection failed: 401 Unauthorized`: it is not Telegram that says so.
  const isGeneric = error.name === 'UNAUTHORIZED' && (names.unknown !== null || isElsewhere);
  return isAnybodys || isGeneric ? null : { error, found: sentence.text };
}

function chooseMeaning(
  meanings: readonly TelegramError[],
  hints: readonly (TelegramError | null)[],
  codes: readonly number[],
): TelegramError {
  const hinted = meanings.find(({ errorClass }) => hints.some((hint) => hint?.errorClass === errorClass));
  const isFlood = codes.includes(420) || codes.includes(429);
  const flood = isFlood ? meanings.find(({ errorClass }) => errorClass === 'flood_wait') : undefined;
  return hinted ?? flood ?? meanings[0] ?? OTHER;
}

/** The first hit in one statement. */
export function matchStatement(said: Omit<Statement, 'names'>): Decision | null {
  const statement = { ...said, names: findNames(said.text) };
  for (const { evidence, mayStrike, find } of STATEMENT_MATCHERS) {
    const hit = find(statement);
    if (hit) return { ...hit, ...untilOf(hit, said.text), evidence, mayStrike };
  }
  return null;
}

/** @SpamBot may name the end of a block that something else told of. */
function untilOf({ error, until }: Hit, text: string): Pick<Hit, 'until'> {
  const named = error.outcome === 'block' && until === undefined ? findRestriction(text)?.until : until;
  return named === undefined || named === null ? {} : { until: named };
}

/** Reads the report's type alone. */
export function readType({ type, contractWord }: Pick<Evidence, 'type' | 'contractWord'>): Hit | null {
  const contractual = CONTRACT_TYPES.get(contractWord);
  if (contractual !== undefined) return contractual && { error: contractual, found: contractWord };
  return readWords(type);
}

function readWords(text: string): Hit | null {
  if (text === '') return null;
  const said = matchStatement({ text, type: text, codes: [], isElsewhere: false, hint: null });
  const words = said === null ? findWords(text) : null;
  return said ?? (words && { error: words, found: words.name });
}

/** Whether a message is one of the contract's words for "nothing is known": it says as little as no message. */
export const isVague = (message: string): boolean =>
  message.length < 64 && CONTRACT_TYPES.get(toContractWord(message)) === null;

/** The rest, when no statement of the message tells an error. */
interface Unstated extends Evidence {
  /** A name by its form that the table does not have. */
  unknownName: string | null;
  /** The message for comparison. */
  normalised: string;
}

/** As `Matcher`, of what is left. */
interface UnstatedMatcher extends Omit<Matcher, 'find'> {
  find: (evidence: Unstated) => Hit | null;
}

/** Matchers of what is left, the surest first. */
const UNSTATED_MATCHERS: readonly UnstatedMatcher[] = [
  { evidence: 'whole_text', mayStrike: true, find: readWholeMessage },
  { evidence: 'error_code', mayStrike: true, find: ({ code }) => readWords(code) },
  { evidence: 'error_type', mayStrike: true, find: readType },
  { evidence: 'name_family', mayStrike: false, find: (evidence) => readFamily(evidence, false) },
  {
    evidence: 'wording',
    mayStrike: false,
    find: (evidence) => readWording(evidence.message, evidence.normalised, evidence),
  },
  { evidence: 'bare_code', mayStrike: true, find: (evidence) => (isBare(evidence) ? readCode(evidence) : null) },
  { evidence: 'code', mayStrike: false, find: readCode },
  { evidence: 'name_family', mayStrike: false, find: (evidence) => readFamily(evidence, true) },
  {
    evidence: 'wording',
    mayStrike: false,
    find: (evidence) => readWording(evidence.code, normaliseText(evidence.code), evidence),
  },
  { evidence: 'error_type', mayStrike: false, find: readVagueType },
  {
    evidence: 'wording',
    mayStrike: false,
    find: (evidence) => readWording(evidence.type, normaliseText(evidence.type), evidence),
  },
  { evidence: 'error_type', mayStrike: true, find: (evidence) => (isBare(evidence) ? readTypesCode(evidence) : null) },
  { evidence: 'error_type', mayStrike: false, find: readTypesCode },
];

/** The first hit in what is left; every text is at least one that nobody knows. */
export function matchUnstated(evidence: Evidence): Decision {
  const left = { ...evidence, unknownName: findUnknownName(evidence), normalised: normaliseText(evidence.message) };
  for (const { evidence: kind, mayStrike, find } of UNSTATED_MATCHERS) {
    const hit = find(left);
    if (hit) return { ...hit, evidence: kind, mayStrike };
  }
  return { error: OTHER, found: null, evidence: 'nothing', mayStrike: false };
}

/** A message that is nothing but a name; in several words it may be of somebody else (`User deactivated`). */
function readWholeMessage({ message }: Evidence): Hit | null {
  const error = isVague(message) ? null : findWords(message);
  const isOfAnybody = /\s/.test(message) && error !== null && error.outcome !== 'block' && strikes(error);
  return error === null || isOfAnybody ? null : { error, found: error.name };
}

/** Whether an error blocks or disables the account. */
export const strikes = ({ outcome }: TelegramError): boolean =>
  outcome !== 'none' && outcome !== 'count_error' && outcome !== 'wait';

export const blocks = ({ outcome }: TelegramError): boolean => outcome === 'block';

const findUnknownName = ({ message, code, type, contractWord }: Evidence): string | null =>
  findNames(message).unknown ??
  findNames(code).unknown ??
  (VAGUE_TYPES.has(contractWord) ? null : findNames(type).unknown);

/** Reads the form of an unknown name. `*_INVALID` and other last words are weaker than an error code. */
function readFamily({ unknownName }: Unstated, byEnding: boolean): Hit | null {
  const family = unknownName === null ? null : lookUpFamily(unknownName);
  if (family === null || /^\*_[A-Z_]+$/.test(family.pattern.replace('_X', '')) !== byEnding) return null;
  return { error: family.error, found: family.pattern };
}

function readWording(text: string, normalised: string, { isElsewhere }: Evidence): Hit | null {
  const wording = text === '' ? null : findWording(text, normalised, isElsewhere);
  return wording && { error: wording.error, found: wording.what };
}

function readCode({ message, code, codes, isElsewhere }: Evidence): Hit | null {
  const stated = codes.find((each) => lookUpCode(each) !== null) ?? findCode(message) ?? findCode(code);
  return stated === null ? null : toCode(stated, isElsewhere);
}

function readTypesCode({ type, isElsewhere }: Evidence): Hit | null {
  const code = findCode(type);
  return code === null ? null : toCode(code, isElsewhere);
}

function toCode(code: number, isElsewhere: boolean): Hit | null {
  const error = lookUpCode(code);
  return error && { error: isElsewhere && error.outcome === 'wait' ? TRANSIENT : error, found: String(code) };
}

function readVagueType({ contractWord }: Evidence): Hit | null {
  const error = VAGUE_TYPES.get(contractWord);
  return error ? { error, found: contractWord } : null;
}

const FILLER = /\b(?:unauthorized|rpc_?error|rpc|transport|error|code|https?|status|telegram|api|server|says)\b/g;

/** Whether nothing unknown stands beside a code, so that 401 and -404 may be believed. */
const isBare = ({ normalised, unknownName, isElsewhere }: Unstated): boolean =>
  !isElsewhere && unknownName === null && !/\p{L}/u.test(normalised.replace(FILLER, ''));
