import { getError } from './table.js';
import type { ErrorOutcome, TelegramError } from './types.js';
import type { ErrorClass } from '../../../contracts/fields.js';

const nameless = (errorClass: ErrorClass, outcome: ErrorOutcome): TelegramError => ({
  name: null,
  errorClass,
  outcome,
});

/** A text nobody knows. */
export const OTHER = nameless('other', 'none');
/** A report that says itself that it does not know. */
export const UNKNOWN = nameless('other', 'count_error');
export const TRANSIENT = nameless('transient', 'count_error');
const FLOOD_WAIT = nameless('flood_wait', 'wait');
const INVALID_REQUEST = nameless('invalid_request', 'none');
const PERMISSION = nameless('permission', 'none');
const TARGET = nameless('target', 'none');
const PRIVACY = nameless('privacy', 'none');
const AUTH_SIGN = nameless('auth', 'count_error');
const RESTRICTED_SIGN = nameless('restricted', 'count_error');

const anyOf = (...patterns: string[]): RegExp => new RegExp(patterns.join('|'));

/** Faults between the client and Telegram, as Node, Python, Go and the client libraries put them. */
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

/** A wording that tells the class of an error without naming it. None of them blocks or disables an account. */
interface Wording {
  what: string;
  /** Matched against a normalised text. */
  pattern: RegExp;
  error: TelegramError;
  /** Whether any service says so, not only Telegram: beside another host's address it is that host's. */
  isAnybodys?: true;
  example: string;
}

export const WORDINGS: readonly Wording[] = [
  { what: 'timed out', pattern: /^(?:\w{0,64}error:? )?timed?out$/, error: getError('TIMEOUT'), example: 'timedout' },
  {
    what: 'unsupported',
    pattern: /^(?:\w{0,64}error:? )?unsupported$/,
    error: getError('UNSUPPORTED'),
    example: 'Unsupported',
  },
  {
    what: 'no limits',
    pattern: /no limits are currently applied|free as a bird|свободен от каких-либо ограничений/,
    error: OTHER,
    example: 'Good news, no limits are currently applied to your account',
  },
  {
    what: 'slow mode',
    pattern: /\bslow[ _-]?mode\b/,
    error: getError('SLOWMODE_WAIT_X'),
    example: 'slow mode is on here',
  },
  {
    what: 'flood',
    pattern:
      /flood[ -]?(?:wait|control|error|limit|prevention)|peer flood|enhance your calm|\bwait of (?:#|pt|an? |half)|\bflood\b[^\n]{0,30}# ?(?:s(?:ec\w*)?|m(?:in\w*)?|h(?:ours?)?|сек\S*|мин\S*)(?!\w)/,
    error: FLOOD_WAIT,
    example: 'Flood wait 300 seconds',
  },
  {
    what: 'too many requests',
    pattern: /too many requests|http-#|rate[ -]?limit|слишком много запросов/,
    error: FLOOD_WAIT,
    isAnybodys: true,
    example: 'rate limit exceeded',
  },
  {
    what: 'privacy',
    pattern: /privacy (?:settings|restrict)|blocked (?:you|by (?:the|this) user)|mutual contact/,
    error: PRIVACY,
    example: 'it is not a mutual contact',
  },
  {
    what: 'limited',
    pattern: /(?:banned|limited|restricted) from sending|@spambot/,
    error: RESTRICTED_SIGN,
    example: 'ask @SpamBot about it',
  },
  { what: 'connection', pattern: TRANSPORT, error: TRANSIENT, example: 'Connection reset by peer' },
  {
    what: 'wait',
    pattern:
      /(?:retry|try again|wait|waiting) (?:in |after |for )?#|sleeping for #\w* \(required by|(?:подожд\S*|等待) #|(?:повтор|попробу|попытк)[^\n#]{0,40}через #/,
    error: FLOOD_WAIT,
    isAnybodys: true,
    example: 'please try again in 30 seconds',
  },
  {
    what: 'try again later',
    pattern: /try again later/,
    error: TRANSIENT,
    example: 'Something broke, try again later',
  },
  {
    what: 'not authorized',
    pattern: /\bnot (?:authori[sz]ed|logged in)\b(?! to)/,
    error: AUTH_SIGN,
    example: 'Session is not authorized',
  },
  // A client too old for what Telegram sends: an operator's matter.
  {
    what: 'constructor id',
    pattern: /matching constructor id/,
    error: UNKNOWN,
    example: 'Could not find a matching Constructor ID for it',
  },
  {
    what: 'rights',
    pattern: /not enough rights|(?:don't|do not|no) have (?:enough |the )?(?:rights|permission)|no rights to/,
    error: PERMISSION,
    example: 'you do not have the rights to do it',
  },
  {
    what: 'administrator',
    pattern: /admin(?:istrator)? (?:rights|privileges)|you can(?:no|')t [^\n]{1,40} in this (?:chat|group|channel)/,
    error: PERMISSION,
    example: 'it needs admin rights',
  },
  {
    what: 'target',
    pattern: anyOf(
      `\\b${TARGETS}s?(?: id)?(?: [\\w#@-]{1,20}){0,3} (?:not found|(?:is|was) (?:not (?:valid|found|accessible|present)|invalid))`,
      `\\b(?:banned|kicked|removed) (?:from|in) (?:this|the) ${TARGETS}\\b`,
      `\\b${TARGETS} (?:is|was) (?:deleted|private)|\\bmessage(?: id)? (?:not found|is invalid)`,
    ),
    error: TARGET,
    example: 'channel 12 was not found',
  },
  {
    what: 'invalid',
    pattern: anyOf(
      '\\b(?:is|was|were|are) (?:not valid|invalid|empty|missing|too (?:long|short|small|large|big)|not modified)\\b',
      '^(?:no|empty|(?:an )?invalid) [^\\n]{0,80}\\b(?:provided|specified|sent)\\b|^invalid [a-z/_-]+ [a-z]',
      '^[\\w /-]{1,60} (?:invalid|empty|missing|too long|expired)(?:$| ?\\()',
    ),
    error: INVALID_REQUEST,
    example: 'the colour is invalid',
  },
];

/** Error that the wording of a text suggests, or null. `normalised` is the same text for comparison. */
export function findWording(
  text: string,
  normalised: string,
  isElsewhere: boolean,
): { error: TelegramError; what: string } | null {
  for (const { what, pattern, error, isAnybodys } of WORDINGS) {
    if (pattern.test(normalised) || (pattern === TRANSPORT && TRANSPORT_CLASS.test(text))) {
      return { error: isAnybodys && isElsewhere ? TRANSIENT : error, what };
    }
  }
  return null;
}
