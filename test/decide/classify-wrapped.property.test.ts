import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classifyError } from '../../src/decide/telegram-errors/classify-error.js';
import { LINE_ROWS, PREFIX_ROWS } from '../../src/decide/telegram-errors/source-lines.js';
import { QUOTED_ROWS } from '../../src/decide/telegram-errors/quoted.js';
import { TABLE } from '../../src/decide/telegram-errors/table.js';
import { WORDINGS } from '../../src/decide/telegram-errors/wording.js';
import type { ErrorEffect } from '../../src/decide/telegram-errors/types.js';

/** Errors as libraries print them: of Telethon, Pyrogram, GramJS, TDLib, MadelineProto, gotd, bots; and of none. */
const ERRORS = [
  'telethon.errors.rpcerrorlist.PeerFloodError: Too many requests (caused by InviteToChannelRequest)',
  'telethon.errors.rpcerrorlist.FloodWaitError: A wait of 512 seconds is required (caused by InviteToChannelRequest)',
  'telethon.errors.rpcerrorlist.UserDeactivatedBanError: The user has been deleted/deactivated (caused by GetUsersRequest)',
  "telethon.errors.rpcerrorlist.UserPrivacyRestrictedError: The user's privacy settings do not allow you to do this (caused by InviteToChannelRequest)",
  'pyrogram.errors.exceptions.flood_420.FloodWait: Telegram says: [420 FLOOD_WAIT_X] - A wait of 77 seconds is required (caused by "channels.InviteToChannel")',
  'Telegram says: [401 AUTH_KEY_UNREGISTERED] - The key is not registered in the system (caused by "users.GetUsers")',
  'RPCError: 400: PEER_FLOOD (caused by channels.InviteToChannel)',
  '420: FROZEN_METHOD_INVALID (caused by messages.SendMessage)',
  'it.tdlight.client.TelegramError: 400: PEER_FLOOD',
  'Telegram returned an RPC error: Too many requests (PEER_FLOOD), caused by channels.inviteToChannel',
  'callback: invoke: rpc error code 420: FLOOD_WAIT (1800)',
  "GrammyError: Call to 'sendMessage' failed! (429: Too Many Requests: retry after 7)",
  'telegram.error.RetryAfter: Flood control exceeded. Retry in 42 seconds',
  'TelegramForbiddenError: Telegram server says - Forbidden: bot was blocked by the user',
  'ConnectionError: Connection to Telegram failed 5 time(s)',
  'Error: Not connected',
  'asyncio.exceptions.TimeoutError',
  'ValueError: Something weird happened',
  'RuntimeError: Произошла неизвестная ошибка',
];
/** Words of third parties, which say nothing of this error. */
const QUOTES = [
  'USER_DEACTIVATED_BAN',
  'PEER_FLOOD',
  'AUTH_KEY_UNREGISTERED',
  'SESSION_REVOKED',
  'PHONE_NUMBER_BANNED',
  'UserDeactivatedBanError',
  'FROZEN_METHOD_INVALID',
  'acc 4: PEER_FLOOD, acc 9: ok',
];

type Wrapper = (error: string, quote: string) => string;
const inJson = (value: unknown): string => JSON.stringify(value);
const rich: Wrapper = (error, quote) =>
  [
    '╭──────────── Traceback (most recent call last) ─────────────╮',
    '│ /srv/bot/inviting.py:27 in add_member                      │',
    '│   26 │   try:                                              │',
    '│ ❱ 27 │   │   await client(request)                         │',
    `│   28 │   │   if "${quote}" in str(error):`.padEnd(61) + '│',
    '│ ╭──────── locals ────────╮                                 │',
    `│ │ word = '${quote}' │`.padEnd(61) + '│',
    '│ ╰────────────────────────╯                                 │',
    '╰────────────────────────────────────────────────────────────╯',
    error,
  ].join('\n');
const python: Wrapper = (error, quote) =>
  `Traceback (most recent call last):\n  File "/srv/bot/${quote.split(' ')[0] ?? ''}.py", line 3, in add\n    if "${quote}" in text:\n       ^^^^^^^^^\n${error}`;

const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  rich,
  python,
  ipython: (error, quote) =>
    `---------------------\nE   Traceback (most recent call last)\nCell In[3], line 27\n     26 try:\n---> 27     await client(request)\n     28 except RPCError as error:\n     29     if "${quote}" in str(error):\n\n${error}`,
  pytest: (error, quote) =>
    `_______ test_add[${quote}] _______\n\n    def test_add():\n        if "${quote}":\n>           add()\nE           ${error}\n\nx.py:27: Error`,
  jest: (error, quote) =>
    `  ● retires on ${quote}\n\n    ${error}\n\n      25 |   try {\n    > 26 |     await client.invoke(request);\n         |                  ^\n      27 |   } catch (error) {\n      28 |     if (error === '${quote}') retire();\n\n      at Object.<anonymous> (x.test.js:26:18)`,
  vitest: (error, quote) =>
    ` FAIL  src/x.test.ts > inviting > retires on ${quote}\n${error}\n ❯ src/x.ts:27:18\n     25|   try {\n     26|     if (error === '${quote}') retire();\n       |     ^\n`,
  mocha: (error, quote) =>
    `  inviting\n    1) retires on ${quote}\n\n  0 passing (12ms)\n  1 failing\n\n  1) inviting\n       retires on ${quote}:\n     ${error}\n      at Context.<anonymous> (test/x.js:12:5)`,
  'node:test': (error, quote) =>
    `✖ retires on ${quote} (3.2ms)\n  ${error}\n      at TestContext.<anonymous> (file:///srv/a.test.mjs:5:9)`,
  'go test': (error, quote) =>
    `=== RUN   TestRetire/${quote}\n--- FAIL: TestRetire/${quote} (0.00s)\n    ${error}\nFAIL`,
  phpunit: (error, quote) =>
    `There was 1 failure:\n\n1) InviteTest::testRetire with data set "${quote}" ('${quote}')\n${error}\n\n/srv/x.php:27`,
  'a group of exceptions': (error, quote) =>
    `  + Exception Group Traceback (most recent call last):\n  |   File "/srv/x.py", line 3, in main\n  |     f() # ${quote}\n  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "/srv/x.py", line 9, in add\n    |     if "${quote}" in text:\n    | ${error}\n    +------------------------------------`,
  YAML: (error, quote) => `error: ${error}\nrequest:\n  text: ${quote}\n  peer: 5\n`,
  XML: (error, quote) => `<error><message>${error}</message><request><text>${quote}</text></request></error>`,
  'a call': (error, quote) => `client.send_message(1, '${quote}') failed: ${error}`,
  'an update': (error, quote) => `Update ${inJson({ update_id: 1, message: { text: quote } })} failed: ${error}`,
  OpenTelemetry: (error, quote) =>
    inJson({
      body: { stringValue: 'failed' },
      attributes: [
        { key: 'exception.message', value: { stringValue: error } },
        { key: 'code.function', value: { stringValue: quote } },
      ],
    }),
  node: (error, quote) =>
    `/srv/bot/x.js:27\n    if (error.errorMessage === '${quote}') retire(account);\n    ^\n\n${error}\n    at main (/srv/bot/x.js:27:5)\n\nNode.js v20.11.0`,
  java: (error, quote) => `${error}\n\tat bot.${quote.replace(/\W/g, '')}.handle(${quote.replace(/\W/g, '')}.java:3)`,
  php: (error, quote) =>
    `PHP Fatal error:  Uncaught ${error} in /srv/bot/x.php:27\nStack trace:\n#0 /srv/bot/x.php(27): retire('${quote}')\n#1 {main}`,
  go: (error, quote) =>
    `panic: ${error}\n\ngoroutine 1 [running]:\nmain.retire(0xc000, "${quote}")\n\t/srv/bot/x.go:27 +0x1d`,
  rust: (error, quote) =>
    `${error}\n --> src/main.rs:27:5\n   |\n27 |     if e.is("${quote}") {\n   |     ^^^^\nnote: run with RUST_BACKTRACE=1`,
  loguru: (error, quote) =>
    `2026-11-20 08:00:01.123 | ERROR    | __main__:add:3 - failed\nTraceback (most recent call last):\n\n> File "/x.py", line 3, in f\n    await client(r)\n          │      └ '${quote}'\n\n${error}`,
  docker: (error, quote) => rich(error, quote).replace(/^/gm, 'bot-1  | '),
  kubernetes: (error, quote) => python(error, quote).replace(/^/gm, '2026-11-20T08:00:01.123456789Z stderr F '),
  journald: (error, quote) => python(error, quote).replace(/^/gm, 'Nov 20 08:00:01 host bot[123]: '),
  'Docker JSON': (error, quote) => inJson({ log: `${rich(error, quote)}\n`, stream: 'stderr' }),
  pino: (error, quote) =>
    inJson({ level: 50, err: { message: error, stack: error }, req: { text: quote }, msg: 'failed' }),
  structlog: (error, quote) => inJson({ event: 'failed', exception: python(error, quote), payload: { text: quote } }),
  logback: (error, quote) =>
    inJson({ message: 'failed', stack_trace: `${error}\n\tat a.B.c(B.java:4)`, args: [quote] }),
  sentry: (error, quote) =>
    inJson({
      exception: { values: [{ value: error, stacktrace: { frames: [{ context_line: quote, vars: { a: quote } }] } }] },
      breadcrumbs: { values: [{ message: quote }] },
    }),
  'the sent text': (error, quote) => inJson({ error, method: 'sendMessage', payload: { text: quote, error: quote } }),
  'further fields': (error, quote) => inJson({ error, query: quote, data: { text: quote }, body: quote, title: quote }),
  'JSON in JSON': (error, quote) => inJson(inJson({ error, request: { message: quote } })),
  inspect: (error, quote) => `${error} {\n  method: 'sendMessage',\n  payload: { chat_id: 1, text: '${quote}' }\n}`,
  logfmt: (error, quote) => `level=error err=${inJson(error)} text="${quote}"`,
  MarkdownV2: (error) => error.replace(/[_*[\]()~`>#+\-=|{}.!]/g, '\\$&'),
  HTML: (error) =>
    `<b>acc</b>: <code>${error.replaceAll('&', '&amp;').replaceAll("'", '&#39;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')}</code>`,
  URL: (error) => encodeURIComponent(error),
  colours: (error) => `\u001b[31m${error}\u001b[0m`,
  'a broken emoji': (error) => `${error}, chat "Sale \ud83d`,
  NUL: (error) => Array.from(error).join('\0'),
};

const strikes = ({ kind }: ErrorEffect): boolean => kind === 'block' || kind === 'disable';

test.each(Object.keys(WRAPPERS))('an error keeps its class, its wait and its effect within %s', (name) => {
  const wrap = WRAPPERS[name]!;
  for (const error of ERRORS) {
    const { errorClass, seconds, effect } = classifyError({ errorMessage: error });
    for (const quote of QUOTES) {
      const text = wrap(error, quote);
      const wrapped = classifyError({ errorMessage: text });
      expect([text, wrapped.errorClass, wrapped.seconds, wrapped.effect]).toEqual([text, errorClass, seconds, effect]);
    }
  }
});

test('nothing strikes in two wrappers, one around the other, where the error itself does not', () => {
  const outer = ['docker', 'kubernetes', 'Docker JSON', 'pino', 'JSON in JSON', 'colours'].map(
    (name) => WRAPPERS[name]!,
  );
  // No traceback quotes Mocha's report, whose titles look like a log's lines there.
  const inners = Object.entries(WRAPPERS).flatMap(([name, wrap]) => (name === 'mocha' ? [] : [wrap]));
  fc.assert(
    fc.property(
      fc.constantFrom(...ERRORS),
      fc.constantFrom(...inners),
      fc.constantFrom(...outer, rich),
      fc.constantFrom(...QUOTES),
      (error, inner, around, quote) => {
        const bare = classifyError({ errorMessage: error }).effect;
        const text = around === rich ? inner(error, quote) : around(inner(error, quote), quote);
        if (!strikes(bare))
          expect([text, strikes(classifyError({ errorMessage: text }).effect)]).toEqual([text, false]);
      },
    ),
    // The same pairs each time; WRAPPED_SEED draws others.
    { numRuns: 500, seed: Number(process.env.WRAPPED_SEED ?? 1) },
  );
});

test('a wait is never read shorter than the longest that the text names', () => {
  const seconds = fc.integer({ min: 1, max: 1_209_600 });
  const wait = fc.oneof(
    seconds.map((each) => [`FLOOD_WAIT_${each} (caused by x)`, each] as const),
    seconds.map((each) => [`A wait of ${each} seconds is required (caused by SendMessageRequest)`, each] as const),
    seconds.map((each) => [`Too Many Requests: retry after ${each}`, each] as const),
    fc
      .constantFrom(...ERRORS.filter((error) => /Not connected|TimeoutError|privacy/.test(error)))
      .map((text) => [text, 0] as const),
  );
  const joint = fc.constantFrom(
    '\n',
    '\n2026-11-20 08:00:09 | ERROR | ',
    '\nDuring handling of the above exception, another exception occurred:\n',
  );
  fc.assert(
    fc.property(fc.array(wait, { minLength: 1, maxLength: 5 }), joint, (waits, between) => {
      const longest = Math.max(...waits.map(([, each]) => each));
      fc.pre(longest > 0);
      const { effect } = classifyError({ errorMessage: waits.map(([text]) => text).join(between) });
      expect(effect).toEqual({ kind: 'wait', waitSeconds: longest });
    }),
    { numRuns: 500 },
  );
});

test('a length is read in every notation', () => {
  const parts = fc.record({
    h: fc.integer({ min: 1, max: 300 }),
    m: fc.integer({ min: 0, max: 59 }),
    s: fc.integer({ min: 0, max: 59 }),
  });
  const pad = (number: number): string => String(number).padStart(2, '0');
  fc.assert(
    fc.property(parts, ({ h, m, s }) => {
      const texts = [
        `${h}:${pad(m)}:${pad(s)}`,
        `${h}h${m}m${s}s`,
        `${h} hours, ${m} minutes and ${s} seconds`,
        `${h} ч ${m} мин ${s} сек`,
        `PT${h}H${m}M${s}S`,
        `datetime.timedelta(hours=${h}, minutes=${m}, seconds=${s})`,
        `timedelta(0, ${h * 3600 + m * 60 + s})`,
        `${h * 3600 + m * 60 + s}.0 seconds`,
      ];
      for (const text of texts) {
        expect([text, classifyError({ errorMessage: `FloodWait: ${text}` }).seconds]).toEqual([
          text,
          h * 3600 + m * 60 + s,
        ]);
      }
    }),
    { numRuns: 100 },
  );
});

test('found is never of the text: it is from the tables, or a number', () => {
  const secret = 'SECRET_VALUE_4711_INVALID';
  for (const error of [...ERRORS, 'UNHEARD_OF', `RPCError 400: ${secret}`, `${secret} 401`]) {
    const { found, decidedBy } = classifyError({
      errorMessage: `${error} token=${secret}`,
      errorCode: secret,
      errorType: secret,
    });
    expect(found ?? '').not.toContain('4711');
    expect(decidedBy).not.toBe('');
  }
});

test('every row of the table has a name, and nothing is listed twice', () => {
  const names = TABLE.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  const sentences = TABLE.flatMap((row) => row.sentences).map((sentence) => sentence.toLowerCase());
  expect(sentences.filter((sentence, at) => sentences.indexOf(sentence) !== at)).toEqual([]);
});

test.each(
  TABLE.filter(({ name, sentences }) => name !== '' && sentences.length > 0),
)('$name is found by its sentences', (row) => {
  for (const sentence of row.sentences) {
    const text = sentence
      .replace(/ \{.*\}$/, '')
      .replace(/…$/, '')
      .replaceAll('#', '7');
    const { name } = classifyError({ errorMessage: text });
    expect([text, name]).toEqual([text, row.name]);
  }
});

test.each([...LINE_ROWS, ...QUOTED_ROWS])('a quotation does not count as said: $what', ({ example }) => {
  const texts = [`${example}\nError: oops`, `Error: oops\n${example}`];
  for (const text of texts)
    expect([text, strikes(classifyError({ errorMessage: text }).effect)]).toEqual([text, false]);
});

test.each(PREFIX_ROWS)('the prefix of a log line does not count as said: $what', ({ pattern, example }) => {
  expect(example.replace(pattern, '')).toBe('ValueError: oops');
});

test.each(WORDINGS)('a wording is found: $what', ({ what, error, example }) => {
  const { errorClass, decidedBy, found } = classifyError({ errorMessage: example });
  expect({ errorClass, decidedBy, found }).toEqual({ errorClass: error.errorClass, decidedBy: 'wording', found: what });
});
