// Stands where a Telegram library (GramJS, Telethon, Pyrogram) stands in a real service: it connects one account by its
// session string to the simulated Telegram, and throws what such a library throws.

import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

export type TelegramMethod =
  | 'channels.inviteToChannel'
  | 'channels.joinChannel'
  | 'channels.getParticipants'
  | 'messages.sendMessage';

export interface TelegramCall {
  method: TelegramMethod;
  channel?: string;
  user?: string;
}

export type TelegramAnswer = { ok: true } | { ok: false; code: number; errorMessage: string };

/** An error of Telegram's, in GramJS's terms: `errorMessage` is a name such as `FLOOD_WAIT_7`. */
export class TelegramError extends Error {
  readonly code: number;
  readonly errorMessage: string;
  constructor(code: number, errorMessage: string) {
    super(`${code}: ${errorMessage}`);
    this.name = 'TelegramError';
    this.code = code;
    this.errorMessage = errorMessage;
  }
}

export interface TelegramConnection {
  /** One call at a time; rejects with `TelegramError`. */
  call(call: TelegramCall): Promise<void>;
  /** Resolves when Telegram has taken note, so that the session may be used elsewhere. */
  close(): Promise<void>;
}

/** @param url `tcp://host:port` of the simulated Telegram */
export async function connectTelegram(url: string, session: string): Promise<TelegramConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const input = createInterface({ input: socket });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => input.close());
  const lines = input[Symbol.asyncIterator]();

  const ask = async (message: { session: string } | TelegramCall): Promise<void> => {
    socket.write(`${JSON.stringify(message)}\n`);
    const line = await lines.next();
    if (line.done) throw new Error('the connection to Telegram was lost');
    const answer = JSON.parse(line.value) as TelegramAnswer;
    if (!answer.ok) throw new TelegramError(answer.code, answer.errorMessage);
  };

  try {
    await ask({ session });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    call: ask,
    close: async () => {
      if (socket.destroyed) return;
      socket.end();
      await once(socket, 'close');
    },
  };
}
