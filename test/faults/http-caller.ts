import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type OperationName, OPERATIONS } from '../../contracts/operations.js';
import type { Reply } from '../../src/requests/request.js';
import type { Bus } from './bus.js';
import { isFinal, type Ledger, type LedgerRequest } from './ledger.js';

const PREFIX = '/api/v1/account-manager';
const TIMEOUT_MS = 15_000;
const GIVE_UP_MS = 120_000;
const REPEAT_MS = 200;

/** A caller over HTTP, of one process and then another; what was not answered it sends again under the same key. */
export interface HttpCaller extends Pick<Bus, 'ask'> {
  /** Sends it once, whatever comes of it; null: no answer. */
  askOnce: (operation: OperationName, body: Record<string, unknown>) => Promise<Reply | null>;
}

/** @param urls of the processes that serve at present */
export function openHttpCaller(urls: () => string[], ledger: Ledger): HttpCaller {
  let turn = 0;
  const note = (operation: OperationName, body: Record<string, unknown>, repeats: boolean): LedgerRequest => {
    const messageId = randomUUID();
    const door = 'http';
    const request: LedgerRequest = { messageId, door, operation, body, repeats, sentAt: [], confirmed: 0, answers: [] };
    ledger.requests.set(messageId, request);
    return request;
  };
  const send = async (request: LedgerRequest): Promise<Reply | null> => {
    const all = urls();
    const url = all[turn++ % all.length];
    if (url === undefined) return null;
    const { account_id: accountId = '', ...rest } = request.body;
    const { path } = OPERATIONS[request.operation].http;
    const body = path.includes('{account_id}') ? rest : request.body;
    request.sentAt.push(ledger.now());
    try {
      const response = await fetch(`${url}${PREFIX}${path.replace('{account_id}', String(accountId))}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': request.messageId },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // Not `response.json()`, whose objects are of another realm here, and equal to nothing.
      const reply = JSON.parse(await response.text()) as Reply;
      request.answers.push({ at: ledger.now(), reply });
      return reply;
    } catch {
      return null;
    }
  };
  return {
    ask: async (operation, body) => {
      const request = note(operation, body, true);
      const giveUpAt = ledger.now() + GIVE_UP_MS;
      while (ledger.now() < giveUpAt) {
        const reply = await send(request);
        if (reply !== null && isFinal(reply)) return reply;
        await pause(REPEAT_MS);
      }
      throw new Error(`${operation} ${request.messageId} was not answered over HTTP`);
    },
    askOnce: (operation, body) => send(note(operation, body, false)),
  };
}
