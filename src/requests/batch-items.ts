import { createHash } from 'node:crypto';
import type { OperationName } from '../../contracts/operations.js';
import { clock } from '../clock.js';
import { type AnsweredRequest, requestKey } from '../store/history/answered-requests.js';
import type { Database } from '../store/database.js';
import type { Log } from '../telemetry/log.js';
import type { Reach } from './fail-point.js';
import type { AcceptedRequest, Outcome, Resources } from './handler.js';
import { refuse } from './refuse.js';
import type { IncomingRequest, Reply } from './request.js';

/** An accepted request with what the exactly-one-effect rule needs of it. */
export interface BatchItem<K extends OperationName = OperationName> extends AcceptedRequest<K>, Deadlines {}

type Deadlines = Pick<IncomingRequest, 'deadlineAt' | 'expiresAt'>;

/** How an item was answered, for the log and the metrics. */
export interface BatchAnswer {
  reply: Reply;
  repeated: boolean;
  /** The request is to wait and to be asked again. */
  deferred: boolean;
  /** As in the outcome. */
  search?: Outcome<OperationName>['search'];
  log: Record<string, unknown>;
}

/** Parts of the service that answer batches. */
export interface BatchRunner {
  database: Database;
  resources: Resources;
  log: Log;
  reach?: Reach;
}

/**
 * Answers a batch without locks. `locks`: nothing was done, the batch needs locks. `undecided`: the database went away at
 * the write.
 * @param onDecided called before anything is written
 */
export type AnswerUnlocked = (
  runner: BatchRunner,
  items: readonly BatchItem[],
  onDecided: () => void,
) => Promise<BatchAnswer[] | 'locks' | 'undecided'>;

/** An answer that nothing more is to be said of. */
export const plain = (reply: Reply): BatchAnswer => ({ reply, repeated: false, deferred: false, log: {} });

/** An item with what a repeat of it is known by. */
export interface KeyedItem {
  item: BatchItem;
  caller: string;
  messageId: string;
  key: string;
  bodyHash: string;
}

export function toKeyed(item: BatchItem): KeyedItem {
  const named = { caller: item.caller ?? '', messageId: item.messageId ?? '' };
  return { item, ...named, key: requestKey(named), bodyHash: hashBody(item.operation, item.body) };
}

/** A request that is deferred has no answer yet. */
export const answersToStore = (handled: ReadonlyMap<KeyedItem, Outcome<OperationName>>): AnsweredRequest[] =>
  [...handled]
    .filter(([, outcome]) => outcome.deferred !== true)
    .map(([{ item, caller, messageId, bodyHash }, outcome]) => ({
      caller,
      messageId,
      operation: item.operation,
      bodyHash,
      reply: outcome.stored ?? outcome.reply,
    }));

/** @param now by the database: an instant is the same for all, and must not hang on whether this machine's clock is right */
export const isLate = (item: Deadlines, now: number): boolean =>
  (item.deadlineAt !== null && item.deadlineAt <= now) || hasExpired(item);
const hasExpired = ({ expiresAt }: Deadlines): boolean => expiresAt !== null && expiresAt <= clock.monotonicMs();

/** An item without an outcome came too late. */
export function toAnswer(item: Deadlines, outcome: Outcome<OperationName> | undefined): BatchAnswer {
  if (outcome === undefined) {
    const rule = hasExpired(item) ? 'expiration: the time was over' : 'x-deadline: the instant had passed';
    return plain(refuse('DEADLINE_EXCEEDED', { message: `${rule}; nothing was done` }));
  }
  return {
    reply: outcome.reply,
    repeated: false,
    deferred: outcome.deferred ?? false,
    search: outcome.search,
    log: outcome.log ?? {},
  };
}

/**
 * Two bodies are the same request when they say the same, however they are written. Stored replies are found by this hash:
 * another order of fields would lose them.
 */
function hashBody(operation: string, body: unknown): string {
  return createHash('sha256')
    .update(`${operation}\n${JSON.stringify(sortKeys(body))}`)
    .digest('base64url');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys((value as Record<string, unknown>)[key])]),
  );
}

/** Pairs of what stands at the same place. */
export const zip = <A, B>(left: readonly A[], right: readonly B[]): [A, B][] =>
  left.map((value, index) => [value, right[index] as B]);
