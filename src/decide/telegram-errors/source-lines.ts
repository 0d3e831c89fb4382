/**
 * Takes away the lines of source, stacks and test titles that a traceback or a test's report prints around its error: they
 * name errors that did not happen. The prefix that logs put before each line is taken away as well.
 */

/** Stands where a record of a log or a traceback of a chain begins. No text holds it: control characters are gone before. */
export const NEXT_RECORD = '\u001e';

const TIME = String.raw`\[?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[./]\d\d[./]\d{2,4})[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?\]?`;
/** Prefixes that logs put before a line. */
export const PREFIX_ROWS: readonly { what: string; pattern: RegExp; example: string }[] = [
  {
    what: 'Docker Compose',
    pattern: /^(?=[\d.-]{0,64}[A-Za-z_])[\w.-]{1,64} {0,20}\| ?/,
    example: 'bot-1  | ValueError: oops',
  },
  {
    what: 'Kubernetes',
    pattern: new RegExp(`^${TIME} (?:stdout|stderr) [FP] `),
    example: '2026-11-20T08:00:01.5Z stderr F ValueError: oops',
  },
  {
    what: 'syslog and journald',
    pattern: /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,64} [\w./@-]{1,64}(?:\[\d+\])?: ?/,
    example: 'Nov 20 08:00:01 host bot[123]: ValueError: oops',
  },
  { what: 'a time', pattern: new RegExp(`^${TIME}(?: |\\t|$)`), example: '2026-11-20 08:00:01,123 ValueError: oops' },
];
const BEGINS_RECORD = new RegExp(
  `^(?:${TIME}|(?:During handling of the above exception|The above exception was the direct cause)|(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL)[: ])`,
);

/** Lines that are source, a frame or a title by themselves. */
export const LINE_ROWS: readonly { what: string; pattern: RegExp; example: string }[] = [
  {
    what: 'a frame of JavaScript, Java, C#',
    pattern:
      /^\s*at (?:async )?[^\n]*(?::\d+\)?|\(Native Method\)|\(Unknown Source\)|:line \d+|\))(?: (?:\{|~?\[[^\]]*\]))?\s*$/,
    example: '    at retire (/srv/bot/peer_flood.js:12:3)',
  },
  {
    what: 'a file of C#',
    pattern: /^\s+at [\w.<>`[\],+]{1,256}\([^)\n]*\)(?: in .*)?$/,
    example: '   at Bot.UserDeactivatedBan.Retire(String id) in C:\\bot\\x.cs:line 74',
  },
  {
    what: 'a frame of PHP',
    pattern:
      /^\s*#\d+\s+(?:\{main\}|\[internal function\]|\S+\(\d+\)(?::|$)|[^\n]*\((?:[\w./:\\-]+:\d+(?::\d+)?)\)).*$/,
    example: "#0 /srv/bot/x.php(27): retire('USER_DEACTIVATED_BAN')",
  },
  {
    what: 'a frame of Ruby',
    pattern: /^\s*(?:from )\S+:\d+:in .*$/,
    example: "\tfrom /srv/bot/x.rb:27:in 'USER_DEACTIVATED_BAN'",
  },
  { what: 'a file of Go', pattern: /^\t\S+\.go:\d+(?: \+0x[\da-f]+)?$/, example: '\t/srv/bot/peer_flood.go:27 +0x1d' },
  {
    what: 'a function of Go',
    // It ends with its arguments: words behind them are said.
    pattern:
      /^[\w./-]{1,128}\.(?:\(\*?\w{1,64}\)\.)?\w{1,64}(?:\.\w{1,64}|\[\.\.\.\]){0,8}\((?:(?:0x|\.\.\.|\{)[^\n]*)?\)$/,
    example: 'main.retire(0xc000, "USER_DEACTIVATED_BAN")',
  },
  {
    what: 'a frame of Rust',
    pattern: /^\s+\d+:\s+(?:0x[\da-f]+ - )?[\w<>:]+::[\w<>:{}#$. ]+$/,
    example: '   4: bot::peer_flood::retire',
  },
  {
    what: 'a title of Jest, Vitest, node:test or TAP',
    pattern:
      /^\s*(?:● |not ok \d+ |[✕✗✖×✓✔√] .*[ (]\d+(?:\.\d+)? ?m?s\)?$|(?:FAIL|PASS)\s{1,2}\S+\.[cm]?[jt]sx?(?:\s|$)).*$/,
    example: '  ● retires an account on USER_DEACTIVATED_BAN',
  },
  {
    what: 'a header of pytest',
    pattern: /^(?:_{3,} .* _{3,}|_ _ _.*|={3,} .* ={3,})$/,
    example: '______ test_retires[USER_DEACTIVATED_BAN] ______',
  },
  {
    what: 'a title of Go, unittest or PHPUnit',
    pattern:
      /^\s*(?:--- (?:FAIL|PASS|SKIP): |=== (?:RUN|CONT|PAUSE|NAME)\s|(?:FAIL|ERROR): test\w* \(|\d+\) [\w\\]+::\w).*$/,
    example: '--- FAIL: TestRetire/USER_DEACTIVATED_BAN (0.00s)',
  },
  {
    what: 'source of RSpec',
    pattern: /^\s*Failure\/Error: .*$/,
    example: '     Failure/Error: raise "x" if name == "USER_DEACTIVATED_BAN"',
  },
  { what: 'a mark under source', pattern: /^\s*(?:\d*\s*[|│])?\s*[~^]+[~^\s]*$/, example: '     |      ^^^^' },
  {
    what: "values under Loguru's source",
    pattern: /^[\s│]*[└├][─ ].*$/,
    example: '          │ └ USER_DEACTIVATED_BAN',
  },
];

/** Source with its numbers: `❱ 27 │ …`, `---> 27 …`, `> 26 | …`, `25 …`. */
const NUMBERED = /^\s*(?:(?<mark>-+>|=+>|❱|→|[>*])\s*)?(?<number>\d{1,6})(?<gap> ?[|│┃] ?|\s{1,8}|$)/;
/** A line of a box: between borders, or its edge. */
const IN_BOX = /^\s*[│┃╭╰├]|^\s*[|+].*[|+]\s*$|[╭┌][─━]/;
/** A box with such a line is a traceback's, whatever else stands in it: source, values of variables. */
const IS_TRACEBACK = /Traceback \(most recent call last\)|^\s*[│┃|]\s+(?:[❱>]\s+)?\d{1,6}\s[│|]/;
const BORDER = /^[ \t]*[│┃╭╰][─━ \t]{0,200}|[ \t]*[│┃╮╯][ \t]*$/g;

/** `File "…", line 27, in add`: what is indented deeper below it is its source. */
const PYTHON_FRAME = /^(\s*)(?:> )?(.*?)File "[^"\n]*", line \d+/;

/** One line, and what is known of it. */
interface Line {
  text: string;
  begins: boolean;
  number: number | null;
  isMarked: boolean;
}

/** Beside each line of a group of Python's exceptions. */
const GROUP_MARGIN = /^\s*(?:\| ?|\+-\+?-[^\n]*|\+ (?=Exception Group ))/;
/** Runners that number their titles: Mocha's may go on over several lines, up to a colon. */
const IS_NUMBERED_REPORT = /^[ \t]{0,16}(?:\d{1,6} failing\b|Failure\/Error: |at (?:Test)?Context\.)/m;
const MAX_TITLE = 8;
const NUMBERED_TITLE = /^\s*\d+\) \S/;
/** A block of YAML that holds what the caller sent. */
const CALLERS_BLOCK = /^(\s*)(?:request|payload|params|query|input|data|body|args|kwargs):\s*$/;

const findPrefix = (text: string) => PREFIX_ROWS.find(({ pattern }) => pattern.test(text));

function readLine(raw: string, isGroup: boolean): Line {
  if (raw === '') return { text: raw, begins: false, number: null, isMarked: false };
  let text = raw;
  let hasBegun = BEGINS_RECORD.test(raw);
  // One collector's prefix stands before another's; each is taken whole.
  for (let row = findPrefix(text); row !== undefined; row = findPrefix(text)) {
    text = text.replace(row.pattern, '');
    hasBegun ||= BEGINS_RECORD.test(text);
  }
  if (isGroup) text = text.replace(GROUP_MARGIN, '');
  const { mark, number, gap } = NUMBERED.exec(text)?.groups ?? {};
  const isMarked = mark !== undefined && (mark.length > 1 || mark === '❱' || mark === '→' || /[|│┃]/.test(gap ?? ''));
  // A line that goes on with the one before is indented.
  return {
    text,
    begins: hasBegun && !/^\s/.test(text),
    number: number === undefined ? null : Number(number),
    isMarked,
  };
}

/** The text without source, stacks and titles; `NEXT_RECORD` stands before each record that begins. */
export function dropSource(text: string): string {
  if (!text.includes('\n') && !text.includes('File "')) return readLine(text, false).text.replace(BORDER, '');
  const isGroup = text.includes('+ Exception Group Traceback');
  const lines = text.split('\n').map((line) => readLine(line, isGroup));
  const isPytest =
    lines.some((line) => /^E\s{3,}\S/.test(line.text)) && lines.some((line) => /^>\s|^\S+\.py:\d+: /.test(line.text));
  const kept: string[] = [];
  const left = new Set([...findBoxes(lines), ...(IS_NUMBERED_REPORT.test(text) ? findTitles(lines) : [])]);
  let blockIndent: number | null = null;
  for (const [at, line] of lines.entries()) {
    const { text: words } = line;
    if (words.trim() === '') {
      kept.push('');
      continue;
    }
    if (left.has(at)) continue;
    const frame = PYTHON_FRAME.exec(words);
    if (frame) {
      blockIndent = (frame[1] ?? '').length;
      kept.push(`${line.begins ? NEXT_RECORD : ''}${frame[2] ?? ''}`);
      continue;
    }
    if (blockIndent !== null) {
      if (words.search(/\S/) > blockIndent || isSource(lines, at)) continue;
      blockIndent = null;
    }
    const [, block] = CALLERS_BLOCK.exec(words) ?? [];
    if (block !== undefined) blockIndent = block.length;
    if (isPytest && !/^E\s|^FAILED |^ERROR |^\S+\.py:\d+: /.test(words)) continue;
    if (isSource(lines, at)) continue;
    const said = isPytest ? words.replace(/^E\s+|^(?:FAILED|ERROR) \S+(?: - )?/, '') : words;
    kept.push(`${line.begins ? NEXT_RECORD : ''}${said.replace(BORDER, '')}`);
  }
  return kept.join('\n');
}

/** The lines of a traceback's boxes, which Rich draws around source. */
function findBoxes(lines: readonly Line[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = 0; at < lines.length; at += 1) {
    let end = at;
    while (end < lines.length && IN_BOX.test(lines[end]?.text ?? '')) end += 1;
    const isTraceback = lines.slice(at, end).some(({ text }) => IS_TRACEBACK.test(text));
    for (let inside = at; isTraceback && inside < end; inside += 1) found.add(inside);
    at = Math.max(at, end - 1);
  }
  return found;
}

/** Lines of the titles of a report that numbers them. */
function findTitles(lines: readonly Line[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = 0; at < lines.length; at += 1) {
    const words = lines[at]?.text ?? '';
    if (!NUMBERED_TITLE.test(words)) continue;
    const indent = words.search(/\S/);
    const title = lines.slice(at, at + MAX_TITLE);
    const end = title.findIndex(({ text }, below) => text.endsWith(':') && (below === 0 || text.search(/\S/) > indent));
    for (let below = 0; below <= Math.max(0, end); below += 1) found.add(at + below);
  }
  return found;
}

function isSource(lines: readonly Line[], at: number): boolean {
  const line = lines[at];
  if (line === undefined) return false;
  if (line.number !== null && (line.isMarked || isInRun(lines, at))) return true;
  if (isFrame(line)) return true;
  const next = lines[at + 1]?.text ?? '';
  const isUnderlined = /^\s*[~^]+\s*$/.test(next) || /^\s*[|│]\s*[~^]+/.test(next);
  if (isUnderlined && line.number !== null) return true;
  // Node underlines the source that threw: `if (e.message === 'PEER_FLOOD') throw e` over a `^`, the error further below;
  // Deno prints the error above.
  const others = [...lines.slice(Math.max(0, at - 4), at), ...lines.slice(at + 2, at + 6)];
  return isUnderlined && others.some((other) => SAYS_ERROR.test(other.text) && !isFrame(other));
}

/** An error's line, not the place before it: `/srv/bot/x.js:27`. */
const SAYS_ERROR = /^(?!\s*\S+:\d+(?::\d+)?\s*$)\s*\S/;

const isFrame = ({ text }: Line): boolean => LINE_ROWS.some(({ pattern }) => pattern.test(text));

/** Numbers that go on by one, line after line or over a gutter, are those of source. */
function isInRun(lines: readonly Line[], at: number): boolean {
  const number = lines[at]?.number ?? null;
  if (number === null) return false;
  for (const step of [-2, -1, 1, 2]) {
    const other = lines[at + step];
    if (other?.number === number + Math.sign(step)) return true;
  }
  return [-1, 1].some((step) => /^\s*[|│┃](?:\s|$)/.test(lines[at + step]?.text ?? ''));
}
