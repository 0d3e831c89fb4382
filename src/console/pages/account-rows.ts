import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { GivenBody, ReplyBody } from '../../../contracts/operations.js';
import { ask, type Trouble, troubleOf } from '../api.js';
import { follow, RARE_TYPES } from '../live.js';

export type Account = ReplyBody<'query.accounts'>['accounts'][number];
export type Filter = Omit<GivenBody<'query.accounts'>, 'limit' | 'cursor'>;

const PAGE = 500;
const GATHER_MS = 700;
/** So many changed accounts are asked for one by one; more, and the list is asked for anew. */
const MAX_SINGLE = 8;

export interface AccountRows {
  rows: readonly Account[];
  /** How many match; null: not known yet. */
  total: number | null;
  isAtLeast: boolean;
  trouble: Trouble | null;
  isLoading: boolean;
  /** Loads on until the row is there. */
  reach: (index: number) => void;
  reload: () => void;
}

interface State {
  rows: readonly Account[];
  total: number | null;
  isAtLeast: boolean;
  cursor: string | null;
  trouble: Trouble | null;
  isLoading: boolean;
}

const NOTHING: State = { rows: [], total: null, isAtLeast: false, cursor: null, trouble: null, isLoading: true };

/** The accounts that match a filter, page after page as they are scrolled to; those that change are shown as they are. */
export function useAccountRows(filter: Filter): AccountRows {
  const asked = JSON.stringify(filter);
  const state: Signal<State> = useSignal<State>(NOTHING);
  const round = useSignal(0);
  const reached = useMemo(() => ({ index: 0 }), [asked]);

  useEffect(() => {
    const leaving = new AbortController();
    state.value = { ...state.peek(), isLoading: true };
    load(filter, null, leaving.signal)
      .then(async (first) => {
        let page = first;
        state.value = page;
        // After a reload, back to where the reader was.
        while (page.cursor !== null && page.rows.length <= reached.index) {
          page = append(page, await load(filter, page.cursor, leaving.signal));
          state.value = page;
        }
      })
      .catch((error: unknown) => {
        if (!leaving.signal.aborted) state.value = { ...state.peek(), isLoading: false, trouble: troubleOf(error) };
      });
    return () => leaving.abort();
  }, [asked, round.value]);

  const reload = useMemo(
    () => () => {
      round.value++;
    },
    [round],
  );
  useEffect(() => followChanges(state, reload), [asked]);

  const reach = (index: number): void => {
    reached.index = Math.max(reached.index, index);
    const { rows, cursor, isLoading } = state.peek();
    if (index < rows.length || cursor === null || isLoading) return;
    state.value = { ...state.peek(), isLoading: true };
    load(filter, cursor)
      .then((page) => {
        // Another filter may have been chosen meanwhile.
        if (state.peek().cursor !== cursor) return;
        state.value = append(state.peek(), page);
        reach(reached.index);
      })
      .catch((error: unknown) => (state.value = { ...state.peek(), isLoading: false, trouble: troubleOf(error) }));
  };

  const { rows, total, isAtLeast, trouble, isLoading } = state.value;
  return { rows, total, isAtLeast, trouble, isLoading, reach, reload };
}

async function load(filter: Filter, cursor: string | null, signal?: AbortSignal): Promise<State> {
  const page = await ask('query.accounts', { ...filter, limit: PAGE, cursor }, { signal });
  const { accounts, next_cursor: next, total, total_is_at_least: isAtLeast } = page;
  return { rows: accounts, total, isAtLeast, cursor: next, trouble: null, isLoading: false };
}

const append = (state: State, page: State): State => ({ ...page, rows: [...state.rows, ...page.rows] });

/** Shows accounts that have changed as they are now. */
function followChanges(state: Signal<State>, reload: () => void): () => void {
  let changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = (): void => {
    timer = undefined;
    const known = new Set(state.peek().rows.map(({ account_id: id }) => id));
    const ids = [...changed].filter((id) => known.has(id));
    const isOther = changed.size > ids.length;
    changed = new Set();
    if (ids.length > MAX_SINGLE || (isOther && state.peek().rows.length < PAGE)) return reload();
    for (const id of ids) {
      ask('query.accounts', { search: id, limit: 1 })
        .then(({ accounts: [account] }) => {
          if (account === undefined) return;
          const rows = state.peek().rows.map((row) => (row.account_id === id ? account : row));
          state.value = { ...state.peek(), rows };
        })
        .catch(() => undefined); // the row stays as it was, and the next change asks again
    }
  };
  return follow({
    types: RARE_TYPES,
    onEvent: ({ event }) => {
      if (event.subject === undefined) return;
      changed.add(event.subject);
      timer ??= setTimeout(show, GATHER_MS);
    },
  });
}
