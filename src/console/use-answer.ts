import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { GivenBody, OperationName, ReplyBody } from '../../contracts/operations.js';
import { ask, type Trouble, troubleOf } from './api.js';
import { now } from './clock.js';
import { follow, type Subscription } from './live.js';

/** The last answer of the service, and the failure since then. */
export interface Answer<K extends OperationName> {
  value: ReplyBody<K> | null;
  trouble: Trouble | null;
  /** When it was answered, milliseconds. */
  at: number | null;
  refresh: () => void;
}

interface Known<K extends OperationName> {
  asked: string;
  value: ReplyBody<K> | null;
  trouble: Trouble | null;
  at: number | null;
}

/**
 * Asks a question, and again on `refresh`, with another `round` and, with `everySeconds`, while the page is seen.
 * `body` null: not yet.
 * The answer to another question is never shown as the answer to this one.
 */
export function useAnswer<K extends OperationName>(
  name: K,
  body: GivenBody<K> | null,
  { everySeconds, round: given = 0 }: { everySeconds?: number; round?: number } = {},
): Answer<K> {
  const asked = JSON.stringify(body);
  const known: Signal<Known<K>> = useSignal<Known<K>>({ asked, value: null, trouble: null, at: null });
  const round = useSignal(0);
  const refresh = useMemo(
    () => () => {
      round.value++;
    },
    [round],
  );

  useEffect(() => {
    if (body === null) return;
    const leaving = new AbortController();
    const before = known.peek().asked === asked ? known.peek().value : null;
    ask(name, body, { signal: leaving.signal })
      .then((value) => (known.value = { asked, value, trouble: null, at: now.peek() }))
      .catch((error: unknown) => {
        if (leaving.signal.aborted) return;
        known.value = { asked, value: before, trouble: troubleOf(error), at: known.peek().at };
      });
    return () => leaving.abort();
  }, [name, asked, round.value, given]);

  useEffect(() => {
    if (everySeconds === undefined) return;
    const timer = setInterval(() => {
      if (!document.hidden) refresh();
    }, everySeconds * 1000);
    const onVisible = (): void => {
      if (!document.hidden) refresh();
    };
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [everySeconds, refresh]);

  const { value, trouble, at } = known.value.asked === asked ? known.value : { value: null, trouble: null, at: null };
  return { value, trouble, at, refresh };
}

/** Changes come in crowds: the first is shown after so long, with all that came meanwhile. */
const GATHER_MS = 700;

/** Calls `refresh` soon after an event of the subscription, and when the stream has come back. */
export function useLive(subscription: Omit<Subscription, 'onEvent' | 'onOpen'>, refresh: () => void): void {
  const { types, accountId, userId } = subscription;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        // Seen again, it is asked anew as the stream opens.
        if (!document.hidden) refresh();
      }, GATHER_MS);
    };
    const leave = follow({
      types,
      accountId,
      userId,
      onEvent: soon,
      onOpen: soon,
    });
    return () => {
      clearTimeout(timer);
      leave();
    };
  }, [types, accountId, userId, refresh]);
}
