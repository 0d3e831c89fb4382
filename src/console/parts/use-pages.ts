import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { GivenBody, OperationName, ReplyBody } from '../../../contracts/operations.js';
import { ask, type Trouble, troubleOf } from '../api.js';
import { type Answer, useAnswer } from '../use-answer.js';

type Paged = { next_cursor: string | null };

/** A list of which one page after the other is shown. */
export interface Pages<K extends OperationName> {
  first: Answer<K>;
  /** The pages after the first. */
  later: readonly ReplyBody<K>[];
  trouble: Trouble | null;
  /** null: there is no more. */
  more: (() => void) | null;
}

/** Asks for the first page, anew with `refresh`, and for each following one on `more`. */
export function usePages<K extends OperationName>(
  name: K,
  body: GivenBody<K> | null,
  options: { everySeconds?: number; round?: number } = {},
): Pages<K> {
  const first = useAnswer(name, body, options);
  const later: Signal<ReplyBody<K>[]> = useSignal<ReplyBody<K>[]>([]);
  const trouble = useSignal<Trouble | null>(null);
  // The next page may no longer follow a page that has changed.
  useEffect(() => {
    later.value = [];
    trouble.value = null;
  }, [first.value]);
  const cursor = ((later.value.at(-1) ?? first.value) as Paged | null)?.next_cursor ?? null;
  const more = (): void => {
    ask(name, { ...(body as object), cursor } as GivenBody<K>)
      .then((page) => (later.value = [...later.value, page]))
      .catch((error: unknown) => (trouble.value = troubleOf(error)));
  };
  return { first, later: later.value, trouble: trouble.value, more: cursor === null ? null : more };
}
