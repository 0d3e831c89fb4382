import type { ErrorClass } from '../../../contracts/fields.js';
import { type ErrorOutcome, getError, type TelegramError } from './telegram-errors.js';
import type { Evidence } from './evidence.js';
import { findCode, findNames, isElsewhere, normaliseText } from './search.js';

const nameless = (errorClass: ErrorClass, outcome: ErrorOutcome): TelegramError => ({
  name: null,
  errorClass,
  outcome,
});

/** A text nobody knows. */
const OTHER = nameless('other', 'none');
/** A report that says itself that it does not know. */
const UNKNOWN = nameless('other', 'count_error');
const TRANSIENT = nameless('transient', 'count_error');
const FLOOD_WAIT = nameless('flood_wait', 'wait');
const INVALID_REQUEST = nameless('invalid_request', 'none');
const PERMISSION = nameless('permission', 'none');
const TARGET = nameless('target', 'none');
const PRIVACY = nameless('privacy', 'none');
/** 401 with something unknown beside it: a sign, not a proof that the session is dead. */
const AUTH_SIGN = nameless('auth', 'count_error');
const RESTRICTED_SIGN = nameless('restricted', 'count_error');

const anyOf = (...patterns: string[]): RegExp => new RegExp(patterns.join('|'));

/** What breaks between the client and Telegram, as Node, Python, Go and the client libraries put it. */
const TRANSPORT = anyOf(
  '\\be(?:conn\\w+|(?:socket)?timedout|pipe|notfound|ai_again|hostunreach|net(?:unreach|down|reset)|addrnotavail)',
  '\\berr_(?:network|socket|ssl|tls|connection|internet|stream)\\w*|und_err_\\w+|getaddrinfo|gaierror|errno|unknownhost',
  'socket (?:hang up|was closed|closed|timeout|error)|(?:net|web)socket was closed|broken pipe|fetch failed',
  'timed?[ _]?out|time-out|deadline exceeded|context canceled|cancelled|aborted|no data received|unexpected (?:eof|end)',
  '(?:^|[ :])eof(?:$|[ :)])|bytes read on a total of|not connected|disconnect|reconnect|no route to host',
  'connection(?: \\w{1,20})? (?:lost|reset|refused|closed|error|failed|terminated|broken)',
  'connection (?:dead|to [^\\n]{1,60} failed)|connection[ _]?error|connect error|(?:failed to|could not|cannot) connect',
  'closed the connection|closed network connection|host is unreachable|name or service not known|name resolution',
  'network(?: is)?[ _]?(?:unreachable|error|down|request)|request was unsuccessful|retries (?:reached|exceeded)|auth_key generation failed',
  'winerror|os error #|call failed|forcibly closed|no such host',
  'server disconnected|\\bssl\\b|\\btls\\b|certificate|\\bproxy\\b|socks#|auth key unset|database is locked',
  'client (?:has not been started|is already terminated|is closed)|bad gateway|gateway time-?out|server error',
  'service (?:is )?(?:temporarily )?unavailable|temporarily unavailable|overloaded|workers? (?:are )?(?:too )?busy',
  'internal (?:server )?(?:error|issues|problems)|having internal|security (?:error|check failed)|wrong session id',
  'msg_id too|msg_seqno|server salt|invalid (?:checksum|container|buffer|response buffer)|read operation was cancelled',
);
/** The same as class names, where the words are run together. */
const TRANSPORT_CLASS = anyOf(
  '(?:Connection(?:Reset|Refused|Aborted|Closed|Lost)?|Connect|Read|Write|Timeout|TimedOut|Network|Proxy|Socket|SSL|Ssl|Server' +
    '|Disconnected|IncompleteRead|BrokenPipe|Security|Checksum|BadMessage|InvalidBuffer|Cancelled)(?:Error|Exception)\\b',
  '\\bTime(?:d ?O|o)ut\\b|\\bTIMEOUT\\b',
);

const TARGETS = '(?:chat|channel|supergroup|group|peer|user|member|participant|username|contact|entity|invite link)';

/** Phrasings that tell the class of an error without naming it. None of them blocks or disables an account. */
const PHRASES: readonly [RegExp, TelegramError][] = [
  [/^(?:\w*error:? )?timed?out$/, getError('TIMEOUT')],
  [/^(?:\w*error:? )?unsupported$/, getError('UNSUPPORTED')],
  [/\bslow[ _-]?mode\b/, getError('SLOWMODE_WAIT_X')],
  [
    /flood[ -]?(?:wait|control|error|limit|prevention)|peer flood|too many requests|enhance your calm|http-#|rate[ -]?limit|\bwait of #|\bflood\b[^\n]{0,30}# ?(?:s(?:ec\w*)?|m(?:in\w*)?|h(?:ours?)?|сек\S*|мин\S*)(?!\w)/,
    FLOOD_WAIT,
  ],
  [/privacy (?:settings|restrict)|blocked (?:you|by (?:the|this) user)|mutual contact/, PRIVACY],
  [/(?:banned|limited|restricted) from sending|@spambot/, RESTRICTED_SIGN],
  [TRANSPORT, TRANSIENT],
  [
    /(?:retry|try again|wait|waiting) (?:in |after |for )?#|sleeping for #\w* \(required by|(?:подожд\S*|等待) #/,
    FLOOD_WAIT,
  ],
  [/try again later/, TRANSIENT],
  [/\bnot (?:authori[sz]ed|logged in)\b(?! to)/, AUTH_SIGN],
  // A client too old for what Telegram sends: an operator's matter.
  [/matching constructor id/, UNKNOWN],
  [/not enough rights|(?:don't|do not|no) have (?:enough |the )?(?:rights|permission)|no rights to/, PERMISSION],
  [/admin(?:istrator)? (?:rights|privileges)|you can(?:no|')t [^\n]{1,40} in this (?:chat|group|channel)/, PERMISSION],
  [
    anyOf(
      `\\b${TARGETS}s?(?: id)?(?: [\\w#@-]{1,20}){0,3} (?:not found|(?:is|was) (?:not (?:valid|found|accessible|present)|invalid))`,
      `\\b(?:banned|kicked|removed) (?:from|in) (?:this|the) ${TARGETS}\\b`,
      `\\b${TARGETS} (?:is|was) (?:deleted|private)|\\bmessage(?: id)? (?:not found|is invalid)`,
    ),
    TARGET,
  ],
  [
    /\b(?:is|was|were|are) (?:not valid|invalid|empty|missing|too (?:long|short|small|large|big)|not modified)\b/,
    INVALID_REQUEST,
  ],
  [
    /^(?:no|empty|(?:an )?invalid) [^\n]{0,80}\b(?:provided|specified|sent)\b|^invalid [a-z/_-]+ [a-z]/,
    INVALID_REQUEST,
  ],
  [/^[\w /-]{1,60} (?:invalid|empty|missing|too long|expired)(?:$| ?\()/, INVALID_REQUEST],
];

/** The error that the wording of a text suggests, or null. */
function findPhrase(text: string, normalised: string): TelegramError | null {
  for (const [pattern, error] of PHRASES) {
    if (pattern.test(normalised)) return error;
    if (pattern === TRANSPORT && TRANSPORT_CLASS.test(text)) return error;
  }
  return null;
}

/** The MTProto transport's own errors (-404, -429, -444), in a library's words. */
function findTransportError(text: string): TelegramError | null {
  const [, digits] =
    /(?:response buffer \(http code|(?:transport|protocol) ?error(?:: (?:bad status|unhandled error code))?(?: \(negative length)?)\D{0,4}(404|429|444)\b/i.exec(
      text,
    ) ?? [];
  return digits ? getError(`TRANSPORT_ERROR_${digits}`) : null;
}

/** An error whose name is not in the table, by the family of the name; null where that tells nothing. */
function judgeUnknownName(name: string): TelegramError | null {
  if (/(?:^|_)FLOOD_(?:\w+_)?WAIT(?:_|$)/.test(name)) return FLOOD_WAIT;
  if (/^FROZEN_/.test(name)) return RESTRICTED_SIGN;
  if (/_MIGRATE_\d+$/.test(name)) return nameless('migrate', 'none');
  return null;
}

/** The same by the name's last word, which is weaker than an error code. */
function judgeNameEnding(name: string): TelegramError | null {
  if (/_(?:INVALID|EMPTY|MISSING|EXPIRED|DUPLICATE|UNSUPPORTED|TOO_(?:LONG|SHORT))$/.test(name)) return INVALID_REQUEST;
  if (/_(?:FORBIDDEN|RESTRICTED|REQUIRED|DISABLED|NOT_ALLOWED)$/.test(name)) return PERMISSION;
  if (/_(?:FAILED|FAIL|TIMEOUT)$/.test(name)) return TRANSIENT;
  return null;
}

/** What an error code alone tells. `isBare`: nothing unknown stands beside it, so that 401 and -404 may be believed. */
function judgeCode(code: number, isBare: boolean): TelegramError | null {
  if (code === 303) return nameless('migrate', 'none');
  if (code === 401) return isBare ? getError('UNAUTHORIZED') : AUTH_SIGN;
  if (code === -404) return isBare ? getError('TRANSPORT_ERROR_404') : AUTH_SIGN;
  if (code === -429 || code === -444) return getError(`TRANSPORT_ERROR_${-code}`);
  if (code === 403) return PERMISSION;
  if (code === 406 || code === 409) return OTHER;
  if (code === 420 || code === 429) return FLOOD_WAIT;
  if (code >= 400 && code < 500) return INVALID_REQUEST;
  if (Math.abs(code) >= 500 && Math.abs(code) < 600) return TRANSIENT;
  return null;
}

/** `error_type`s of the contract that say only that nothing is known. */
const VAGUE_TYPES: ReadonlyMap<string, TelegramError> = new Map([
  ['network_error', TRANSIENT],
  ['unknown_error', UNKNOWN],
]);

/**
 * What is left when a report names nothing that is known: its wording, its error codes, names of a familiar form.
 * Of these only a 401 or -404 with nothing unknown beside it disables an account.
 */
export function guessError({ message, code, type, contractWord, codes }: Evidence): TelegramError {
  const vague = VAGUE_TYPES.get(contractWord) ?? null;
  const normalised = normaliseText(message);
  const unknown = findNames(message).unknown ?? findNames(code).unknown ?? (vague ? null : findNames(type).unknown);
  const stated = codes.find((each) => judgeCode(each, false)) ?? findCode(message) ?? findCode(code);
  const isBare = unknown === null && isFiller(normalised) && !isElsewhere(type);
  return (
    findTransportError(message) ??
    (unknown === null ? null : judgeUnknownName(unknown)) ??
    findPhrase(message, normalised) ??
    (stated === null ? null : judgeCode(stated, isBare)) ??
    (unknown === null ? null : judgeNameEnding(unknown)) ??
    findPhrase(code, normaliseText(code)) ??
    vague ??
    findPhrase(type, normaliseText(type)) ??
    judgeType(type, isBare) ??
    OTHER
  );
}

function judgeType(type: string, isBare: boolean): TelegramError | null {
  const code = findCode(type);
  return code === null ? null : judgeCode(code, isBare);
}

/** Whether a text has no words but those that go with any error code. */
function isFiller(normalised: string): boolean {
  return !/\p{L}/u.test(
    normalised.replace(
      /\b(?:unauthorized|rpc_?error|rpc|transport|error|code|https?|status|telegram|api|server|says)\b/g,
      '',
    ),
  );
}
