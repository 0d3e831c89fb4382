import { dropSource } from './source-lines.js';
import { readValue } from './notation.js';

/**
 * Parts that a text quotes and does not say: names in paths, links, titles, a program's own identifiers, and the
 * message that the caller was about to send. `keep` is put in place of the part; absent: a space.
 */
interface QuotedRow {
  what: string;
  /** A text without this has nothing of the kind. */
  sign: RegExp;
  pattern: RegExp;
  /** A text that quotes PEER_FLOOD or USER_DEACTIVATED_BAN, and says neither. */
  example: string;
  keep?: string;
}

const QUOTES = '["\'«“`„]';
const ENDS_QUOTE = '["\'»”`“]';
const QUOTED = `${QUOTES}[^"'»”\`\n]{0,512}${ENDS_QUOTE}`;

export const QUOTED_ROWS: readonly QuotedRow[] = [
  {
    what: 'a link of Markdown',
    sign: /\]\(/,
    pattern: /\[([^[\]\n]{1,64})\]\(https?:[^\s)]{1,256}\)/g,
    example: 'Connection lost, see [this page](https://core.telegram.org/errors#PEER_FLOOD)',
    keep: '$1',
  },
  {
    what: 'a link',
    sign: /\//,
    pattern: /(?:https?:\/\/|tg:\/\/|\bt\.me\/)[^\s"'<>)\]}]{1,2048}/gi,
    example: 'Connection lost, see https://core.telegram.org/errors#PEER_FLOOD',
  },
  {
    what: 'a file or a path',
    sign: /\/[\w.@-]|\.(?:py|[cm]?[jt]sx?|php|go|rs|java|kt|cs|rb|log|txt|csv|json|session|md|html?|ya?ml|toml|ini|pyc|ipynb)\b/i,
    pattern:
      /(?<![\w.@~/\\-])(?:(?:[a-z]:)?(?:[\w.@~-]{0,64}[/\\]){0,16}[\w@-]{1,64}\.(?:py|[cm]?[jt]sx?|php|go|rs|java|kt|cs|rb|log|txt|csv|json|session|md|html?|ya?ml|toml|ini|pyc|ipynb)\b|(?:\/[\w.@-]{1,64}){2,16})/gi,
    example: 'cannot read sessions/USER_DEACTIVATED_BAN/79991.session',
  },
  {
    what: "a test's id",
    sign: /::|\[/,
    pattern: /::[\w[\]-]{1,256}|(?<=\btest\w{0,64}|\bTask [\w.]{1,128})\[[^\]\n]{1,256}\]/gi,
    example: 'FAILED tests::test_inviting[PEER_FLOOD] - Not connected',
  },
  {
    what: "an element of the caller's",
    sign: /<\/\w/,
    pattern: /<(payload|request|query|params|input|args|body|data|text|caption)\b[^<>]{0,256}>[^]{0,1024}?<\/\1>/gi,
    example: '<error>Not connected</error><request><text>PEER_FLOOD</text></request>',
  },
  {
    what: 'what was about to be sent',
    sign: /["'`«“„]/,
    pattern: new RegExp(
      `(?<=\\b(?:send(?:ing)?|sent|post(?:ing)?|publish(?:ing)?|writ(?:e|ing)|deliver(?:ing)?|forward(?:ing)?|repl(?:y|ying) with|echo(?:ing)?)(?: (?:the|a|this))?(?: (?:message|text|post|caption|reply|report))?:?\\s)${QUOTED}`,
      'gi',
    ),
    example: 'sending message "acc 9: PEER_FLOOD" failed: Not connected',
  },
  {
    what: 'the same in Russian',
    sign: /[«"„]/,
    pattern: new RegExp(
      `(?<=(?:отправ\\p{L}*|послать|опубликовать|переслать)(?: (?:сообщени[ея]|текст|пост|отч[её]т))?:?\\s)${QUOTED}`,
      'giu',
    ),
    example: 'не удалось отправить сообщение «acc 9: PEER_FLOOD»: Not connected',
  },
  {
    what: 'what a chat or user is called',
    sign: /["'`«“=]/,
    pattern:
      /(?<=\b(?:chat|channel|group|title|user|username|member|peer|contact|to|into|has|named|called)(?:["']?\s?[:=]\s?|\s))(["'«“`])[^"'»”`\n]{0,128}(?=["'»”`])|(?<=\b(?:chat|channel|group|title|user|username|first_name|last_name|peer|contact)=)[\w-]{1,128}/gi,
    example: 'No user has "PEER_FLOOD" as username',
    keep: '$1',
  },
  {
    what: 'the same in Russian',
    sign: /[«"„]/,
    pattern: new RegExp(`(?<=(?:чат|канал|групп|пользовател|участник|названи)\\p{L}{0,6}:?\\s)${QUOTED}`, 'giu'),
    example: 'нет связи с каналом «PEER_FLOOD»',
  },
];

const SENDS =
  '(?:[Ss]end|[Ee]dit|[Cc]opy|[Ff]orward|[Ii]nvite|[Aa]dd|[Jj]oin|[Ii]mport|[Cc]reate|[Aa]nswer|[Gg]et|[Rr]esolve|[Uu]pdate|[Rr]eply|[Pp]ost)';
/**
 * Arguments of a call: `SendMessageRequest(peer=1, message='PEER_FLOOD')`, `send_message(1, 'PEER_FLOOD')`; not the error
 * behind it, as in `sendMessage(400: PEER_FLOOD)`.
 */
const CALL = new RegExp(
  `\\b(?:\\w{1,64}Request|${SENDS}(?:_[a-z]|[A-Z])\\w{0,64})(?<!Failed|Error|Exception)(?=[({](?![A-Z\\d_]{4,128}[)}]|-?\\d{3}\\b:))`,
  'g',
);
/** The same before an object: `sendMessage(1, {…})`, `SendMessage{…}`, `error sending {…}`. */
const BEFORE_SENT = new RegExp(
  `\\b(?:\\w{1,64}Request|${SENDS}(?:_[a-z]|[A-Z])\\w{0,64})\\s?(?:\\([^(){}\n]{0,64})?$|\\b(?:sending|posting|publishing)(?: (?:the|a|this|message|text|post)){0,2}:?\\s$`,
);

/** Whether what stands before an object says that it was to be sent. */
export const isBeforeSent = (before: string): boolean => BEFORE_SENT.test(before);
/** Fields of the caller's, in a text that is no structure: `payload={…}`, `text='…'`, `args: ('…',)`. */
const CALLERS_FIELD =
  /(?<![\w.])["']?(?:(?:payload|request|req|query|params|input)(?:\.\w{1,32}){1,4}|payload|request(?:_body)?|query|data|body|args|kwargs|arguments|params|text|caption|content|message_text|template|vars|locals)["']?(?:\s{0,2}=\s{0,2}(?!=)|:\s{0,2}(?=[[{("'`]))/gi;

/** Takes away what `CALL` and `CALLERS_FIELD` find, with all that is in its brackets or quotes. */
function dropCallers(text: string): string {
  const calls = /\w[({]/.test(text) ? [...text.matchAll(CALL)] : [];
  const found = /[=:]/.test(text) ? [...calls, ...text.matchAll(CALLERS_FIELD)] : calls;
  if (found.length === 0) return text;
  const kept: string[] = [];
  let from = 0;
  for (const { index, 0: words } of found.sort((a, b) => a.index - b.index)) {
    const start = index + words.length;
    if (start < from) continue;
    kept.push(text.slice(from, start));
    // A bare word ends where a log's next field begins, but a call at its end: `request=SendMessage(1, 'PEER_FLOOD')`.
    const bare = start + (/^[^\s,;)&([{"'`]*/.exec(text.slice(start, start + 512))?.[0].length ?? 0);
    from = /[{[("'`]/.test(text[bare] ?? '') ? readValue(text, bare).end : bare;
  }
  return [...kept, text.slice(from)].join('');
}

/** Classes of a program's errors about names of its own. */
const PROGRAM_CLASS = '(?:Name|Key|Lookup|Attribute|Import|ModuleNotFound|Reference|Type|Syntax|UnboundLocal)Error';
/** The same in words: `module 'telethon.errors' has no attribute 'UserDeactivatedBanError'`. */
const PROGRAM_WORDS = [
  `\\b${PROGRAM_CLASS}: `,
  'cannot (?:import|access local|find (?:module|name|symbol))|no module named|class ?not ?found|nosuch\\w{1,64}(?:error|exception)',
  'has no attribute|before assignment|already been declared|\\bclass "[^"\n]{0,128}" not found|no enum constant',
  'is not (?:defined|callable|assignable to|a (?:constructor|function))|["\'][\\w-]{1,128}["\'] is not (?:among|a valid)',
  '\\bundefined (?:constant|variable|index|array|method|function)|of (?:undefined|null)\\b|(?:positional|keyword) argument',
  // of a database
  '\\b(?:column|relation|table|type|function|constraint) \\S{1,128} does not exist|unknown column|invalid input value',
  'violates [a-z -]{1,12} constraint',
];
const PROGRAM_ERROR = new RegExp(PROGRAM_WORDS.join('|'), 'i');
const IDENTIFIER = new RegExp(`\\b(?!${PROGRAM_CLASS}: )[\\w-]*(?:[_-]|[a-z](?=[A-Z]))[\\w-]*`, 'g');
const IS_PROGRAM_CLASS = new RegExp(`\\b${PROGRAM_CLASS}\\b`);

/** A text without the names of its program, where it is an error about such names. */
export function dropIdentifiers(text: string, type: string): string {
  if (IS_PROGRAM_CLASS.test(type) && !text.includes('\n')) return text.replace(IDENTIFIER, '');
  if (!PROGRAM_ERROR.test(text)) return text;
  return text
    .split('\n')
    .map((line) => (PROGRAM_ERROR.test(line) ? line.replace(IDENTIFIER, '') : line))
    .join('\n');
}

/** The text that is said: without source and stacks, what the caller wanted, paths, titles and links. */
export function dropQuoted(text: string): string {
  let said = dropCallers(dropSource(text));
  for (const { sign, pattern, keep = ' ' } of QUOTED_ROWS) {
    if (sign.test(said)) said = said.replace(pattern, keep);
  }
  return said;
}
