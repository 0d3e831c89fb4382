import { expect, test } from '@jest/globals';
import { classifyError } from '../../src/decide/telegram-errors/classify-error.js';
import type { ErrorReport } from '../../src/decide/telegram-errors/types.js';

/** Reports, one kind after another, each with what they must come to: class, effect, seconds, end of a block. */
const CASES: [kind: string, report: ErrorReport, expected: string][] = [];
const add = (kind: string, report: string | ErrorReport, expected: string): void => {
  CASES.push([kind, typeof report === 'string' ? { errorMessage: report } : report, expected]);
};

const T = 'transient count_error',
  PF = 'peer_flood block',
  O = 'other none';
const J = JSON.stringify;
add(
  'a transport flood',
  'danog\\MadelineProto\\Exception: Too many requests (-429), caused by channels.inviteToChannel',
  T,
);
add('a transport flood', '{"code":-429,"message":"Too many requests"}', T);
add('a transport flood', 'RPCError -429: Too many requests (caused by InviteToChannelRequest)', T);
add('a transport flood', { errorCode: -429, errorMessage: 'Too many requests' }, T);
add(
  'a transport flood',
  'Telegram says: [-429 Too Many Requests] - Too many requests (caused by "messages.SendMessage")',
  T,
);
add('a transport flood', '{"error":{"code":"-429","message":"Too many requests"}}', T);
add('a transport flood', 'rpc error code -429: Too many requests', T);
add('a transport flood', 'telethon.errors.common.InvalidBufferError: Invalid response buffer (HTTP code 429)', T);
add('a transport flood', 'MTProto transport error -429', T);
add('a transport flood', { errorCode: '-429' }, T);
add(
  'a limit of another host',
  "claim failed for acc12: 429, message='Too Many Requests', url='https://api.game.example/v2/claim'",
  T,
);
add('a limit of another host', "429, message='Too Many Requests', url=URL('https://api.game.example/v2/claim')", T);
add(
  'a limit of another host',
  "HTTPSConnectionPool(host='api.game.example', port=443): Max retries exceeded with url: /v2/claim (Caused by ResponseError('too many 429 error responses'))",
  T,
);
add(
  'a limit of another host',
  "Client error '429 Too Many Requests' for url 'https://api.game.example/v2/claim'\nFor more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/429",
  T,
);
add(
  'a limit of another host',
  'requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://api.game.example/v2/claim',
  T,
);
add(
  'a limit of another host',
  J({
    message: 'Request failed with status code 429',
    name: 'AxiosError',
    config: { url: 'https://api.game.example/v2/claim', data: '{"text":"PEER_FLOOD"}' },
    code: 'ERR_BAD_REQUEST',
    status: 429,
  }),
  T,
);
add('a limit of another host', 'POST https://api.game.example/v2/claim 429 Too Many Requests, Retry-After: 90', T);
add(
  'a limit of another host',
  "Client error '429 Too Many Requests' for url 'https://api.telegram.org/bot123:ABC/sendMessage'\nFor more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/429",
  'flood_wait wait',
);
add(
  'a limit of another host',
  "429, message='Too Many Requests', url='https://api.telegram.org/bot1:A/sendMessage'",
  'flood_wait wait',
);
add('a limit of another host', 'Too many requests, please try again later. (https://api.openai.example/v1)', T);
add(
  'a limit of another host',
  '429 Too Many Requests for http://localhost:8081/bot123:ABC/sendMessage retry after 33',
  'flood_wait wait 33',
);
add(
  'a limit of another host',
  'A wait of 300 seconds is required (caused by ResolveUsernameRequest), see https://docs.telethon.dev/x',
  'flood_wait wait 300',
);
add(
  'a limit of another host',
  J({ status: 429, statusText: 'Too Many Requests', url: 'https://api.game.example/v2/claim' }),
  T,
);
add('a limit of another host', 'Got response 429 for https://api.game.example/x: retry after 60 seconds', T);
add(
  'a limit of another host',
  '{"error":"The session has expired","url":"https://api.game.example/v2/login"}',
  'other none || transient count_error || auth count_error || invalid_request none',
);
add('a limit of another host', 'api.game.example returned 429 Too Many Requests', T);
const rich = `╭──────────────── Traceback (most recent call last) ─────────────────╮
│ /srv/bot/inviting.py:27 in add_member                               │
│                                                                     │
│   25 │   try:                                                       │
│   26 │   │   request = InviteToChannelRequest(group, [member])      │
│ ❱ 27 │   │   await client(request)                                  │
│   28 │   except RPCError as error:                                  │
│   29 │   │   if "USER_DEACTIVATED_BAN" in str(error):               │
│   30 │   │   │   retire(account)                                    │
│ ╭──────────── locals ─────────────╮                                 │
│ │ error = 'PEER_FLOOD'            │                                 │
│ ╰─────────────────────────────────╯                                 │
╰─────────────────────────────────────────────────────────────────────╯
`;
add('source in a console', rich + 'ConnectionError: Connection to Telegram failed 5 time(s)', T);
add('source in a console', rich + 'PeerFloodError: Too many requests (caused by InviteToChannelRequest)', PF);
add('source in a console', rich + 'PeerFloodError: Too many requests (caused by \nInviteToChannelRequest)', PF);
add(
  'source in a console',
  (rich + 'ConnectionError: Connection to Telegram failed 5 time(s)')
    .split('\n')
    .map((l) => 'bot-1  | ' + l)
    .join('\n'),
  T,
);
add(
  'source in a console',
  (rich + 'ConnectionError: Connection to Telegram failed 5 time(s)')
    .split('\n')
    .map((l, i) => `2026-11-20T08:00:0${i % 10}.123456789Z stderr F ` + l)
    .join('\n'),
  T,
);
add(
  'source in a console',
  (rich + 'ConnectionError: Connection to Telegram failed 5 time(s)')
    .split('\n')
    .map((l) => `Nov 20 08:00:01 host bot[123]: ` + l)
    .join('\n'),
  T,
);
add(
  'source in a console',
  J({ log: rich + 'ConnectionError: Connection to Telegram failed 5 time(s)\n', stream: 'stderr' }),
  T,
);
add(
  'source in a console',
  (rich + 'ConnectionError: Connection to Telegram failed 5 time(s)')
    .split('\n')
    .map((l) => J({ log: l + '\n', stream: 'stderr', time: '2026-11-20T08:00:01Z' }))
    .join('\n'),
  T,
);
add(
  'source in a console',
  rich.split('\n').slice(3).join('\n') + 'ConnectionError: Connection to Telegram failed 5 time(s)',
  T,
);
const ascii = `+--------------- Traceback (most recent call last) ----------------+
| /srv/bot/inviting.py:27 in add_member                            |
|   26 |   |   request = InviteToChannelRequest(group, [member])      |
| > 27 |   |   await client(request)                                  |
|   29 |   |   if "USER_DEACTIVATED_BAN" in str(error):               |
+------------------------------------------------------------------+
ConnectionError: Connection to Telegram failed 5 time(s)`;
add('source in a console', ascii, T);
const ipy = `---------------------------------------------------------------------------
ConnectionError                           Traceback (most recent call last)
Cell In[3], line 27
     25 try:
     26     request = InviteToChannelRequest(group, [member])
---> 27     await client(request)
     28 except RPCError as error:
     29     if "USER_DEACTIVATED_BAN" in str(error):

File ~/bot/inviting.py:27, in add_member(group, member)
     26 if "PEER_FLOOD" in x:
---> 27     raise

`;
add('source in a console', ipy + 'ConnectionError: Connection to Telegram failed 5 time(s)', T);
add(
  'source in a console',
  ipy + 'FloodWaitError: A wait of 41 seconds is required (caused by ResolveUsernameRequest)',
  'flood_wait wait 41',
);
const pyt = `___________________________ test_add[USER_DEACTIVATED_BAN] ___________________________

    async def test_add():
        try:
>           await client(request)
E           ConnectionError: Connection to Telegram failed 5 time(s)

inviting.py:27: ConnectionError

During handling of the above exception, another exception occurred:

    def retire():
        if "PEER_FLOOD" in str(error):
>           raise Oops
E           app.Oops: Connection to Telegram failed 5 time(s)
=========================== short test summary info ============================
FAILED test_x.py::test_add[USER_DEACTIVATED_BAN] - ConnectionError: Connection to Telegram failed 5 time(s)
`;
add('source in a console', pyt, T);
const jest = `  ● retires an account on USER_DEACTIVATED_BAN

    Not connected

      25 |   try {
    > 26 |     await client.invoke(request);
         |                  ^
      27 |   } catch (error) {
      28 |     if (error.errorMessage === 'AUTH_KEY_UNREGISTERED') retire(account);

      at Object.<anonymous> (inviting.test.js:26:18)
`;
add('source of a runtime', jest, T);
add(
  'source of a runtime',
  `/srv/bot/dist/inviting.js:27
  25 |   try {
> 26 |     await client.invoke(request);
     |                  ^
  27 |   } catch (error) {
  28 |     if (error.errorMessage === 'AUTH_KEY_UNREGISTERED') retire(account);

Error: Not connected`,
  T,
);
add(
  'source of a runtime',
  `/srv/bot/dist/inviting.js:27
    if (error.errorMessage === 'AUTH_KEY_UNREGISTERED') retire(account);
    ^

Error: Not connected
    at Object.<anonymous> (/srv/bot/dist/inviting.js:27:5)

Node.js v20.11.0`,
  T,
);
add(
  'source of a runtime',
  `thread 'main' panicked at src/main.rs:27:10:
called \`Result::unwrap()\` on an \`Err\` value: Io(Os { code: 104, kind: ConnectionReset, message: "Connection reset by peer" })
stack backtrace:
   0: rust_begin_unwind
             at /rustc/abc/library/std/src/panicking.rs:645:5
   1: bot::peer_flood::retire
             at ./src/peer_flood.rs:27:10`,
  T,
);
add(
  'source of a runtime',
  `panic: dial tcp 149.154.167.50:443: i/o timeout

goroutine 1 [running]:
main.retire(0xc000, "USER_DEACTIVATED_BAN")
\t/srv/bot/peer_flood.go:27 +0x1d
main.main()
\t/srv/bot/main.go:10 +0x2a`,
  T,
);
add(
  'source of a runtime',
  `PHP Fatal error:  Uncaught danog\\MadelineProto\\RPCErrorException: PEER_FLOOD in /srv/bot/x.php:27
Stack trace:
#0 /srv/bot/x.php(27): retire('USER_DEACTIVATED_BAN')
#1 {main}
  thrown in /srv/bot/x.php on line 27`,
  PF,
);
add(
  'source of a runtime',
  `PHP Fatal error:  Uncaught Exception: Connection lost in /srv/bot/x.php:27
Stack trace:
#0 /srv/bot/x.php(27): retire('USER_DEACTIVATED_BAN')
#1 {main}`,
  T,
);
add(
  'source of a runtime',
  `java.lang.RuntimeException: sending failed
\tat bot.UserDeactivatedBanHandler.handle(UserDeactivatedBanHandler.java:3)
Caused by: java.net.SocketTimeoutException: Read timed out
\tat bot.PeerFlood.x(PeerFlood.java:3)
\t... 12 more`,
  T,
);
add(
  'source of a runtime',
  `error: x
 --> src/main.rs:27:5
   |
27 |     if e.is("USER_DEACTIVATED_BAN") {
   |     ^^^^
Connection reset by peer`,
  T,
);
add(
  'an error further down',
  '{"@type":"message","id":7340032,"chat_id":500200300,"sending_state":{"@type":"messageSendingStateFailed","error":{"@type":"error","code":429,"message":"Too Many Requests: retry after 1800"},"can_retry":true,"retry_after":1799.5},"content":{"@type":"messageText"}}',
  'flood_wait wait 1800',
);
add(
  'an error further down',
  '{"@type":"updateMessageSendFailed","message":{"@type":"message","content":{"text":{"text":"USER_DEACTIVATED_BAN"}},"sending_state":{"@type":"messageSendingStateFailed","error":{"@type":"error","code":400,"message":"PEER_FLOOD"}}},"old_message_id":1}',
  PF,
);
add(
  'an error further down',
  '{"@type":"updateMessageSendFailed","message":{"@type":"message","content":{"text":{"text":"USER_DEACTIVATED_BAN"}}},"old_message_id":1,"error":{"@type":"error","code":403,"message":"CHAT_WRITE_FORBIDDEN"}}',
  'permission none',
);
add(
  'an error further down',
  '{"updates":{"failed":[{"user_id":1,"error":{"code":420,"message":"FLOOD_WAIT_77"}}]}}',
  'flood_wait wait 77',
);
add(
  'an error further down',
  '{"status":"failed","step":{"outcome":{"error":{"error_code":400,"error_message":"PEER_FLOOD"}}}}',
  PF,
);
add(
  'an error further down',
  '{"response":{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 12","parameters":{"retry_after":12}},"on":{"method":"sendMessage","payload":{"text":"USER_DEACTIVATED_BAN"}}}',
  'flood_wait wait 12',
);
add(
  'an error further down',
  '{"code":"ETELEGRAM","message":"ETELEGRAM: 429 Too Many Requests: retry after 5","response":{"statusCode":429,"body":{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}}}',
  'flood_wait wait 5',
);
add(
  'an error further down',
  J({
    isAxiosError: true,
    message: 'Request failed with status code 429',
    response: {
      status: 429,
      data: {
        ok: false,
        error_code: 429,
        description: 'Too Many Requests: retry after 35',
        parameters: { retry_after: 35 },
      },
    },
    config: { url: 'https://api.telegram.org/bot1:A/sendMessage', data: '{"text":"PEER_FLOOD"}' },
  }),
  'flood_wait wait 35',
);
add(
  'words of the caller',
  '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the supergroup chat","method":"sendMessage","payload":{"chat_id":-1001234567890,"text":"Today: acc 4 USER_DEACTIVATED_BAN, acc 9 ok"}}',
  'target none',
);
add(
  'words of the caller',
  `GrammyError: Call to 'sendMessage' failed! (403: Forbidden: bot was kicked from the supergroup chat)
    at toGrammyError (/app/node_modules/grammy/out/core/error.js:34:12) {
  method: 'sendMessage',
  payload: {
    chat_id: -1001234567890,
    text: 'Today: acc 4 USER_DEACTIVATED_BAN'
  },
  ok: false,
  error_code: 403,
  description: 'Forbidden: bot was kicked from the supergroup chat',
  parameters: {}
}`,
  'target none',
);
add('words of the caller', "event='send failed' error='Not connected' text='USER_DEACTIVATED_BAN'", T);
add('words of the caller', 'level=error msg="send failed" err="Not connected" payload="acc 4: PEER_FLOOD"', T);
add(
  'words of the caller',
  "Not connected (caused by SendMessageRequest(peer=InputPeerUser(user_id=1), message='USER_DEACTIVATED_BAN', random_id=5))",
  T,
);
add(
  'words of the caller',
  "TelegramNetworkError: HTTP Client says - Request timeout error, method=SendMessage(chat_id=1, text='PEER_FLOOD')",
  T,
);
add(
  'words of the caller',
  '{"error":"Not connected","args":["USER_DEACTIVATED_BAN"],"data":{"text":"PEER_FLOOD"},"body":"AUTH_KEY_UNREGISTERED"}',
  T,
);
add(
  'words of the caller',
  '{"error":"Not connected","title":"PEER_FLOOD","text":"PEER_FLOOD","name":"USER_DEACTIVATED_BAN"}',
  T,
);
add(
  'words of the caller',
  "Message: 'send failed %s: %s'\nArguments: ('USER_DEACTIVATED_BAN', 1)\nConnectionError: Not connected",
  T,
);
add('words of the caller', 'Failed to send "acc 4: PEER_FLOOD" to @x: Not connected', T);
add(
  'words of the caller',
  '{"level":50,"msg":"send failed","err":{"type":"Error","message":"Not connected","stack":"Error: Not connected\\n    at x (/a.js:1:1)"},"req":{"body":{"text":"PEER_FLOOD"}}}',
  T,
);
add(
  'words of the caller',
  "{'ok': False, 'error_code': 403, 'description': 'Forbidden: bot was kicked from the supergroup chat', 'payload': {'text': \"it's USER_DEACTIVATED_BAN\"}}",
  'target none',
);
add(
  'words of the caller',
  '{"exception":{"values":[{"type":"ConnectionError","value":"Not connected","stacktrace":{"frames":[{"context_line":"if e == PEER_FLOOD","vars":{"error":"USER_DEACTIVATED_BAN"}}]}}]},"breadcrumbs":{"values":[{"message":"USER_DEACTIVATED_BAN"}]},"extra":{"error":"PEER_FLOOD"}}',
  T,
);
add('words of the caller', '{"error":"Not connected","last_error":"PEER_FLOOD"}', T);
add('words of the caller', 'не удалось отправить сообщение «acc 4: PEER_FLOOD»: Not connected', T);
add(
  'escapes of a chat message',
  '420: FLOOD\\_WAIT\\_7200 \\(caused by contacts\\.ResolveUsername\\)',
  'flood_wait wait 7200',
);
add('escapes of a chat message', '*acc 4* 400: PEER\\_FLOOD \\(caused by messages\\.SendMessage\\)', PF);
add('escapes of a chat message', '`PEER_FLOOD`', PF);
add('escapes of a chat message', '**FLOOD_WAIT_30**', 'flood_wait wait 30');
add(
  'escapes of a chat message',
  '__acc 4__: A wait of 3540 seconds is required \\(caused by SendMessageRequest\\)',
  'flood_wait wait 3540',
);
add(
  'escapes of a chat message',
  'acc 4: The user has been deleted/deactivated \\(caused by GetUsersRequest\\)',
  'deactivated deactivated',
);
add(
  'escapes of a chat message',
  'FLOOD%5FWAIT%5F300%20%28caused%20by%20messages.SendMessage%29',
  'flood_wait wait 300',
);
add(
  'escapes of a chat message',
  'error=A+wait+of+300+seconds+is+required+%28caused+by+X%29&account=4&text=PEER_FLOOD',
  'flood_wait wait 300',
);
add(
  'entities of HTML',
  '<b>acc 4</b>: You&#39;re spamreported, you can&#39;t create channels or chats. (caused by CreateChatRequest)',
  'restricted block',
);
add(
  'entities of HTML',
  '<b>acc 4</b>: You&amp;#39;re spamreported, you can&amp;#39;t create channels or chats. (caused by CreateChatRequest)',
  'restricted block',
);
add('entities of HTML', '<pre><code>FLOOD_WAIT_30</code></pre>', 'flood_wait wait 30');
add(
  'entities of HTML',
  'You\\u2019re spamreported, you can\\u2019t create channels or chats. (caused by CreateChatRequest)',
  'restricted block',
);
add(
  'entities of HTML',
  'You&rsquo;re spamreported, you can&#8217;t create channels or chats. (caused by CreateChatRequest)',
  'restricted block',
);
add(
  'entities of HTML',
  '{&quot;error_code&quot;:429,&quot;description&quot;:&quot;Too Many Requests: retry after 35&quot;,&quot;payload&quot;:{&quot;text&quot;:&quot;PEER_FLOOD&quot;}}',
  'flood_wait wait 35',
);
add(
  'a field of a log record',
  '{"level":"ERROR","logger_name":"inviter","message":"adding a member failed","stack_trace":"it.tdlight.client.TelegramError: 400: PEER_FLOOD\\n\\tat it.tdlight.client.SimpleTelegramClient.send(SimpleTelegramClient.java:402)\\n"}',
  PF,
);
add(
  'a field of a log record',
  J({
    event: 'failed',
    exception: [
      {
        exc_type: 'PeerFloodError',
        exc_value: 'Too many requests (caused by X)',
        frames: [{ filename: 'x', name: 'USER_DEACTIVATED_BAN', locals: { a: 'USER_DEACTIVATED_BAN' } }],
      },
    ],
  }),
  PF,
);
add(
  'a field of a log record',
  J({
    thrown: {
      localizedMessage: '400: PEER_FLOOD',
      message: '400: PEER_FLOOD',
      name: 'it.tdlight.client.TelegramError',
      extendedStackTrace: [{ class: 'bot.UserDeactivatedBan', method: 'x' }],
    },
    message: 'failed',
    level: 'ERROR',
  }),
  PF,
);
add(
  'a field of a log record',
  J({ 'error.message': '400: PEER_FLOOD', 'error.type': 'TelegramError', message: 'failed', 'log.level': 'error' }),
  PF,
);
add(
  'a field of a log record',
  J({
    MESSAGE: 'telethon.errors.rpcerrorlist.PeerFloodError: Too many requests (caused by InviteToChannelRequest)',
    PRIORITY: '3',
    _COMM: 'python',
  }),
  PF,
);
add(
  'a field of a log record',
  J({
    MESSAGE: [
      ...Buffer.from('\u001b[31mPeerFloodError\u001b[0m: Too many requests (caused by InviteToChannelRequest)'),
    ],
  }),
  PF,
);
add(
  'a field of a log record',
  J({
    text: '2026-11-20 08:00:01.123 | ERROR    | __main__:f:3 - failed\nTraceback (most recent call last):\n\n> File "/x.py", line 3, in f\n    await client(r)\n          │      └ USER_DEACTIVATED_BAN\n\ntelethon.errors.rpcerrorlist.PeerFloodError: Too many requests (caused by InviteToChannelRequest)\n',
    record: {
      exception: {
        type: 'PeerFloodError',
        value: 'Too many requests (caused by InviteToChannelRequest)',
        traceback: true,
      },
      message: 'failed',
    },
  }),
  PF,
);
add('a field of a log record', J({ severity: 'ERROR', textPayload: '400: PEER_FLOOD' }), PF);
add(
  'a field of a log record',
  J({ timestamp: 1, level: 'error', message: 'failed', fields: { error: 'rpc error code 420: FLOOD_WAIT (1800)' } }),
  'flood_wait wait 1800',
);
add(
  'a field of a log record',
  J({
    body: '400: PEER_FLOOD (caused by x)',
    severityText: 'ERROR',
    attributes: { 'exception.type': 'RPCError', 'exception.message': '400: PEER_FLOOD' },
  }),
  PF,
);
add(
  'a field of a log record',
  J({
    errorMessage: 'Too many requests (caused by InviteToChannelRequest)',
    errorType: 'PeerFloodError',
    stackTrace: ['  File "/x.py", line 3, in f\n    if e == "USER_DEACTIVATED_BAN"\n'],
  }),
  PF,
);
add(
  'a field of a log record',
  J({
    time: 'x',
    level: 'ERROR',
    msg: 'invite',
    error: 'callback: rpc error code 400: PEER_FLOOD',
    errorVerbose: 'callback: rpc error code 400: PEER_FLOOD\n    main.x\n        /a/b.go:3',
  }),
  PF,
);
add(
  'a field of a log record',
  J({
    level: 50,
    time: 1,
    pid: 1,
    hostname: 'h',
    err: {
      type: 'FloodWaitError',
      message: 'A wait of 33 seconds is required (caused by x)',
      stack: '..',
      code: 420,
      errorMessage: 'FLOOD',
      seconds: 33,
    },
    msg: 'failed',
  }),
  'flood_wait wait 33',
);
add(
  'a length in parts',
  'telegram.error.RetryAfter: retry_after=datetime.timedelta(days=1, seconds=90)',
  'flood_wait wait 86490',
);
for (const [t, n] of [
  ['FloodWait: PT1H30M', 5400],
  ['retry_after=P1DT90S flood wait', 86490],
  ['Flood wait: 2 ч 3 мин', 7380],
  ['FLOOD_WAIT: подождите 1 час 30 минут', 5400],
  ['FloodWait: 1:00:30', 3630],
  ['Flood control exceeded. Retry in 5.0 seconds', 5],
  ['FloodWait 2 h 3 min', 7380],
  ['RetryAfter(retry_after=datetime.timedelta(1, 90))', 86490],
  ['Flood wait for 1 day 2 hours 3 minutes 4 seconds', 93784],
  ['FLOOD_WAIT, wait 1h30m0s', 5400],
  ['FloodWait: 00:05:00', 300],
  ['Слишком много запросов, повторите через 5 минут', 300],
  ['{"error":"FLOOD_WAIT","retry_after":"PT1H"}', 3600],
  ['{"error":"FLOOD_WAIT","retry_after":"01:00:30"}', 3630],
  ['{"error":"FLOOD_WAIT","retry_after":"2 ч 3 мин"}', 7380],
  ["{'error': 'flood_wait', 'retry_after': datetime.timedelta(days=1, seconds=90)}", 86490],
  ['Flood control exceeded. Retry in 1 day, 0:01:30', 86490],
  ['FLOOD_WAIT 1,5 часа', 5400],
  ['flood wait of an hour', 3600],
  ['A wait of 0 days 01:00:00 is required', 3600],
  ['FLOOD_WAIT: 2 суток', 172800],
  ['FLOOD_WAIT (caused by x), retry_after=PT2M', 120],
  ['A wait of 12 hours is required (caused by X)', 43200],
  ['Flood wait: 1 неделя', 604800],
  ['FloodWaitError: wait 90 минут', 5400],
] as [string, number][])
  add('a length in parts', t, `flood_wait wait ${n}`);
add(
  'several waits',
  '2026-11-20 08:00:01 | ERROR | acc 4 | FLOOD_WAIT_43200 (caused by contacts.ResolveUsername)\n2026-11-20 08:00:09 | ERROR | acc 4 | FLOOD_WAIT_15 (caused by messages.SendMessage)',
  'flood_wait wait 43200',
);
add(
  'several waits',
  'A wait of 43200 seconds is required (caused by ResolveUsernameRequest)\nA wait of 15 seconds is required (caused by SendMessageRequest)',
  'flood_wait wait 43200',
);
add(
  'several waits',
  'ERROR:root:FLOOD_WAIT_43200\nERROR:root:A wait of 15 seconds is required (caused by SendMessageRequest)',
  'flood_wait wait 43200',
);
add(
  'several waits',
  '{"errors":[{"code":420,"message":"FLOOD_WAIT_43200"},{"code":420,"message":"FLOOD_WAIT_15"}]}',
  'flood_wait wait 43200',
);
add('several waits', '{"log":"FLOOD_WAIT_43200\\n"}\n{"log":"FLOOD_WAIT_15\\n"}', 'flood_wait wait 43200');
add(
  'several waits',
  '[1] Too Many Requests: retry after 43200\n[2] Too Many Requests: retry after 15',
  'flood_wait wait 43200',
);
add('several waits', 'FLOOD_WAIT_15\nSLOWMODE_WAIT_3600', 'flood_wait wait 15 || slow_mode none 3600');
add('several waits', 'FLOOD_WAIT_43200\nNot connected', 'flood_wait wait 43200');
add(
  'several waits',
  '2026-11-20 08:00:01 ERROR FLOOD_WAIT_43200\n2026-11-20 08:00:09 ERROR CHAT_WRITE_FORBIDDEN',
  'flood_wait wait 43200',
);
add(
  'text that no store keeps',
  'A wait of 3540 seconds is required (caused by SendMessageRequest), chat "Sale \ud83d',
  'flood_wait wait 3540',
);
add('text that no store keeps', 'FLOOD\u0000_WAIT\u0000_3540', 'flood_wait wait 3540');
add('text that no store keeps', Array.from('FLOOD_WAIT_3540').join('\u0000'), 'flood_wait wait 3540');
add(
  'a statement of @SpamBot',
  'I’m afraid some Telegram users found your messages annoying and forwarded them to our team of moderators for inspection. The moderators have confirmed the report and your account is now limited until 4 Jul 2027, 20:45 UTC.',
  'restricted block 2027-07-04T20:45:00.000Z',
);
add(
  'a statement of @SpamBot',
  'SpamBot: Ваш аккаунт временно ограничен до 29 ноября 2026, 14:32 UTC',
  'restricted block 2026-11-29T14:32:00.000Z',
);
add(
  'a statement of @SpamBot',
  'Ограничения будут автоматически сняты 29 Nov 2026, 10:12 UTC (по московскому времени — на три часа позже)',
  'restricted block 2026-11-29T10:12:00.000Z',
);
add('a statement of @SpamBot', 'limited until 2026-12-01 10:00', 'restricted block 2026-12-01T10:00:00.000Z');
add('a statement of @SpamBot', 'Good news, no limits are currently applied to your account. You’re free as a bird!', O);
add(
  'a statement of @SpamBot',
  '{"from":"SpamBot","message":"Your account is now limited until 4 Dec 2026, 20:45 UTC."}',
  'restricted block 2026-12-04T20:45:00.000Z',
);
add('a statement of @SpamBot', 'Ваш аккаунт свободен от каких-либо ограничений.', O);
add(
  'a statement of @SpamBot',
  'Теперь Ваш аккаунт ограничен до 5 Dec 2026, 12:03 UTC.',
  'restricted block 2026-12-05T12:03:00.000Z',
);
add(
  'a statement of @SpamBot',
  'account limited until 01.12.2026 13:00 МСК',
  'restricted block 2026-12-01T10:00:00.000Z',
);
add(
  'a statement of @SpamBot',
  '{"error":"Not connected","payload":{"text":"Your account is now limited until 4 Dec 2026, 20:45 UTC."}}',
  T,
);
add(
  'a statement of @SpamBot',
  'Your account was limited by Telegram until December 4, 2026 at 20:45 UTC',
  'restricted block 2026-12-04T20:45:00.000Z',
);
add('a statement of @SpamBot', 'This user is limited until we decide', O);
add(
  'a notation',
  '{\\"ok\\":false,\\"error_code\\":429,\\"description\\":\\"Too Many Requests: retry after 35\\"}',
  'flood_wait wait 35',
);
add(
  'a notation',
  '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_af',
  'flood_wait wait 35',
);
add(
  'a notation',
  'body={\\"ok\\":false,\\"error_code\\":429,\\"description\\":\\"Too Many Requests: retry after 35\\"} status=429',
  'flood_wait wait 35',
);
add(
  'a notation',
  'RpcError { code: 420, name: "FLOOD_WAIT", value: Some(31), caused_by: Some(3193124286) }',
  'flood_wait wait 31',
);
add('a notation', 'Error {\n  code = 400\n  message = "PEER_FLOOD"\n}', PF);
add('a notation', 'TelegramError{code=429, message=Too Many Requests: retry after 35}', 'flood_wait wait 35');
add('a notation', '\u001b[31mPEER\u001b[0m_FLOOD', PF);
add('a notation', 'FLOOD\u200b_WAIT\u200b_60', 'flood_wait wait 60');

/** Class, effect, seconds and the end of a block in one line. */
function summarise(report: ErrorReport): string {
  const { errorClass, effect, seconds } = classifyError(report);
  const kind = effect.kind === 'disable' ? effect.reason : effect.kind;
  const until = effect.kind === 'block' && effect.until !== undefined ? new Date(effect.until).toISOString() : '';
  return [errorClass, kind, seconds ?? '', until].filter((each) => each !== '').join(' ');
}

test.each(CASES)('%s: %j', (_kind, report, expected) => {
  expect(expected.split(' || ')).toContain(summarise(report));
});
