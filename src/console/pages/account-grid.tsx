import { useSignal } from '@preact/signals';
import type { RefObject, TargetedEvent } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Distance, Status, shortId } from '../parts/basics.js';
import { Phone } from '../parts/phone.js';
import { addressOf, go } from '../router.js';
import { numberText, say } from '../text.js';
import type { Account, AccountRows } from './account-rows.js';

/** Rows outside the seen part that are drawn nevertheless, so that scrolling shows no gap. */
const MARGIN = 8;
/** Browsers draw no element higher than some 33 million pixels; 10,000 rows are far from it. */
const ROW_PX = { wide: 36, narrow: 64 };
const NARROW = matchMedia('(max-width: 700px)');

interface GridProps {
  list: AccountRows;
  selected: ReadonlySet<string>;
  /** null: nothing can be done with a selection. */
  select: ((ids: ReadonlySet<string>) => void) | null;
}

/** As many rows as there are accounts, of which only those in sight exist. Arrows move, Enter opens, x selects. */
export function AccountGrid({ list, selected, select }: GridProps) {
  const box = useRef<HTMLDivElement>(null);
  const current = useSignal(-1);
  const rowPx = useRowHeight();
  // Rows that are not loaded have their place all the same.
  const count = Math.max(list.rows.length, list.total ?? 0);
  const { from, to, onScroll } = useSight(box, rowPx, count);
  useEffect(() => list.reach(to - 1), [to, list.rows.length]);

  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    select?.(next);
  };
  const move = (index: number): void => {
    current.value = Math.min(count - 1, Math.max(0, index));
    if (box.current !== null) scrollToRow(box.current, current.value, rowPx);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== box.current) return;
    const account = list.rows[current.value];
    const step = stepOf(event.key, count);
    if (step !== undefined) move(current.value + step);
    else if (event.key === 'Enter' && account) go(addressOf(`/accounts/${account.account_id}`));
    else if ((event.key === 'x' || event.key === ' ') && account && select) toggle(account.account_id);
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={box}
      class="grid"
      role="grid"
      tabIndex={0}
      aria-label={say('nav.accounts')}
      aria-rowcount={count + 1}
      aria-multiselectable={select !== null}
      aria-activedescendant={current.value >= from && current.value < to ? `row-${current.value}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" class="grid-head">
        <GridHead list={list} selected={selected} select={select} />
      </div>
      <div role="rowgroup" class="grid-body" style={{ height: `${count * rowPx}px` }}>
        {Array.from({ length: to - from }, (_, at) => from + at).map((index) => (
          <GridRow
            key={index}
            index={index}
            top={index * rowPx}
            account={list.rows[index]}
            isCurrent={index === current.value}
            isSelected={selected.has(list.rows[index]?.account_id ?? '')}
            toggle={select === null ? null : toggle}
          />
        ))}
      </div>
    </div>
  );
}

/** The rows in sight, from the first to behind the last, with a margin. */
function useSight(box: RefObject<HTMLDivElement | null>, rowPx: number, count: number) {
  const top = useSignal(0);
  const height = useSignal(600);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => (height.value = element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return {
    from: Math.max(0, Math.floor(top.value / rowPx) - MARGIN),
    to: Math.min(count, Math.ceil((top.value + height.value) / rowPx) + MARGIN),
    onScroll: (event: TargetedEvent<HTMLDivElement>) => (top.value = event.currentTarget.scrollTop),
  };
}

/** Scrolls as little as brings the row into sight, below the head, which has a row's height. */
function scrollToRow(element: HTMLDivElement, index: number, rowPx: number): void {
  const rowTop = index * rowPx;
  if (rowTop < element.scrollTop) element.scrollTop = rowTop;
  else if (rowTop + rowPx * 2 > element.scrollTop + element.clientHeight)
    element.scrollTop = rowTop + rowPx * 2 - element.clientHeight;
}

/** How many rows a key moves by; undefined for one that does not move. */
function stepOf(key: string, count: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: 15,
    PageUp: -15,
    Home: -count,
    End: count,
  };
  return steps[key];
}

function useRowHeight(): number {
  const isNarrow = useSignal(NARROW.matches);
  useEffect(() => {
    const onChange = (): void => void (isNarrow.value = NARROW.matches);
    NARROW.addEventListener('change', onChange);
    return () => NARROW.removeEventListener('change', onChange);
  }, []);
  return isNarrow.value ? ROW_PX.narrow : ROW_PX.wide;
}

function GridHead({ list, selected, select }: GridProps) {
  const all = list.rows.map(({ account_id: id }) => id);
  const hasAll = all.length > 0 && all.every((id) => selected.has(id));
  return (
    <div role="row" class="grid-row" aria-rowindex={1}>
      <span role="columnheader">
        {select && (
          <input
            type="checkbox"
            aria-label={say('select.loaded')}
            checked={hasAll}
            onChange={() => select(new Set(hasAll ? [] : all))}
          />
        )}
      </span>
      {(['account', 'user', 'phone', 'status', 'ends', 'holder', 'errors', 'today', 'last-used'] as const).map(
        (name) => (
          <span key={name} role="columnheader" class={`cell-${name}`}>
            {say(name)}
          </span>
        ),
      )}
    </div>
  );
}

function GridRow({
  index,
  top,
  account,
  isCurrent,
  isSelected,
  toggle,
}: {
  index: number;
  top: number;
  account: Account | undefined;
  isCurrent: boolean;
  isSelected: boolean;
  toggle: ((id: string) => void) | null;
}) {
  const common = {
    id: `row-${index}`,
    role: 'row',
    'aria-rowindex': index + 2,
    style: { transform: `translateY(${top}px)` },
  } as const;
  if (account === undefined) {
    return (
      <div {...common} class="grid-row empty-row">
        <span role="gridcell">{say('loading')}</span>
      </div>
    );
  }
  const { account_id: id } = account;
  return (
    <div
      {...common}
      class={`grid-row${isCurrent ? ' current' : ''}${isSelected ? ' selected' : ''}`}
      aria-selected={toggle === null ? undefined : isSelected}
    >
      <span role="gridcell">
        {toggle && (
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={say('select.one', { account: shortId(id) })}
            checked={isSelected}
            onChange={() => toggle(id)}
          />
        )}
      </span>
      <AccountCells account={account} />
    </div>
  );
}

function AccountCells({ account }: { account: Account }) {
  const { account_id: id, used_today: used } = account;
  return (
    <>
      <span role="gridcell" class="cell-account">
        <a class="id" href={addressOf(`/accounts/${id}`)} title={id}>
          {shortId(id)}
        </a>
      </span>
      <span role="gridcell" class="cell-user">
        {account.user_id}
      </span>
      <span role="gridcell" class="cell-phone">
        <Phone masked={account.phone} accountId={id} />
      </span>
      <span role="gridcell" class="cell-status">
        <Status status={account.status} reason={account.disabled_reason} />
      </span>
      <span role="gridcell" class="cell-ends">
        <Distance at={account.recovery_at} />
      </span>
      <span role="gridcell" class="cell-holder">
        {account.leased_by ?? '–'}
      </span>
      <span role="gridcell" class="cell-errors">
        {numberText(account.error_count)}
      </span>
      <span role="gridcell" class="cell-today">
        {Object.values(used).reduce((sum, count) => sum + count, 0)}
      </span>
      <span role="gridcell" class="cell-last-used">
        <Distance at={account.last_used_at} />
      </span>
    </>
  );
}
