// Plays Telegram for the examples: accounts connect with their session, act, and get such answers and errors as
// Telegram gives. All of it is written down in a ledger, by which one can judge from outside what the accounts did.
//
//   tsx examples/telegram-simulator.ts PORT FLEET.csv LEDGER.jsonl
//
// A connection is one account's: it sends {"session": "…"} first, then calls, a line each, and is answered line by line.

import { appendFileSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCsv } from './csv.js';
import type { TelegramAnswer, TelegramCall, TelegramMethod } from './telegram.js';

/** One line of the ledger. */
export interface LedgerEntry {
  /** When it arrived, epoch milliseconds. */
  at: number;
  phone: string;
  /** `connect` begins a connection, `close` ends it. */
  event: 'connect' | 'close' | TelegramMethod;
  channel?: string | undefined;
  /** Telegram's error; absent where it accepted. */
  error?: string | undefined;
}

interface Account {
  phone: string;
  isConnected: boolean;
  isBanned: boolean;
  /** Until then every call is answered `FLOOD_WAIT_X`. */
  floodedUntil: number;
}

/** Errors come by count, so that every run shows each of them. */
const FLOOD_WAIT_EVERY = 60;
const PEER_FLOOD_AT_INVITE = 30;
const BAN_AT_MESSAGE = 40;
/** One person in so many lets nobody invite or write to them. */
const PRIVATE_EVERY = 9;
const LATENCY_MS = 30;

const OK: TelegramAnswer = { ok: true };
const refuse = (code: number, errorMessage: string): TelegramAnswer => ({ ok: false, code, errorMessage });

const [port, fleetFile = '', ledgerFile = ''] = process.argv.slice(2);
const accounts = new Map(
  parseCsv(readFileSync(fleetFile, 'utf8')).map(({ fields: { session_data: session = '', phone = '' } }) => {
    const account: Account = { phone, isConnected: false, isBanned: false, floodedUntil: 0 };
    return [session, account];
  }),
);
const calls: Partial<Record<TelegramMethod | 'any', number>> = {};
const count = (what: keyof typeof calls) => (calls[what] = (calls[what] ?? 0) + 1);

const server = createServer((socket) => void serve(socket));
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

async function serve(socket: Socket): Promise<void> {
  const lines = createInterface({ input: socket });
  let account: Account | undefined;
  const leave = () => {
    if (account?.isConnected) note(account, 'close');
    if (account !== undefined) account.isConnected = false;
    account = undefined;
    lines.close();
  };
  socket.on('end', leave).on('close', leave).on('error', leave);
  for await (const line of lines) {
    const message = JSON.parse(line) as { session: string } | TelegramCall;
    let answer: TelegramAnswer;
    if ('session' in message) {
      const known = accounts.get(message.session);
      answer = admit(known);
      if (answer.ok) account = known;
    } else {
      answer = account === undefined ? refuse(401, 'AUTH_KEY_UNREGISTERED') : judge(account, message);
    }
    await sleep(LATENCY_MS);
    socket.write(`${JSON.stringify(answer)}\n`);
  }
}

/** A session that is in use elsewhere is refused; Telegram would even end it. */
function admit(account: Account | undefined): TelegramAnswer {
  if (account === undefined) return refuse(401, 'AUTH_KEY_UNREGISTERED');
  let answer = OK;
  if (account.isBanned) answer = refuse(401, 'USER_DEACTIVATED_BAN');
  else if (account.isConnected) answer = refuse(406, 'AUTH_KEY_DUPLICATED');
  else account.isConnected = true;
  note(account, 'connect', answer);
  return answer;
}

function judge(account: Account, call: TelegramCall): TelegramAnswer {
  const answer = answerCall(account, call, Date.now());
  note(account, call.method, answer, call.channel && nameOf(call.channel));
  return answer;
}

function answerCall(account: Account, { method, user = '' }: TelegramCall, now: number): TelegramAnswer {
  if (account.isBanned) return refuse(401, 'USER_DEACTIVATED_BAN');
  if (now < account.floodedUntil) return refuse(420, `FLOOD_WAIT_${Math.ceil((account.floodedUntil - now) / 1000)}`);

  const nth = count(method);
  const all = count('any');
  if (method === 'channels.inviteToChannel' && nth === PEER_FLOOD_AT_INVITE) return refuse(400, 'PEER_FLOOD');
  if (method === 'messages.sendMessage' && nth === BAN_AT_MESSAGE) {
    account.isBanned = true;
    return refuse(401, 'USER_DEACTIVATED_BAN');
  }
  if (all % FLOOD_WAIT_EVERY === 0) {
    const seconds = 3 + ((all / FLOOD_WAIT_EVERY) % 5);
    account.floodedUntil = now + seconds * 1000;
    return refuse(420, `FLOOD_WAIT_${seconds}`);
  }
  const person = Number(/\d+$/.exec(user)?.[0]);
  return person % PRIVATE_EVERY === 0 ? refuse(403, 'USER_PRIVACY_RESTRICTED') : OK;
}

/** The name by which Telegram knows a channel, however it was written. */
const nameOf = (channel: string): string => channel.replace(/^(@|https:\/\/t\.me\/)/, '').toLowerCase();

function note({ phone }: Account, event: LedgerEntry['event'], answer = OK, channel?: string): void {
  const entry: LedgerEntry = {
    at: Date.now(),
    phone,
    event,
    channel,
    error: answer.ok ? undefined : answer.errorMessage,
  };
  appendFileSync(ledgerFile, `${JSON.stringify(entry)}\n`);
}
