import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { EventType } from '../../../contracts/events.js';
import { type LiveEvent, follow } from '../live.js';
import { AccountLink, Empty, PageHead, Time } from '../parts/basics.js';
import { Details } from '../parts/details.js';
import { FilterChoice, FilterEntry, textIn } from '../parts/filters.js';
import { Table } from '../parts/table.js';
import { say, sayName } from '../text.js';
import { EVENT_TYPE_NAMES } from '../texts/events.js';

const MAX_SHOWN = 500;

/** The filter of this view; undefined: all. */
interface Wanted {
  type: EventType | undefined;
  userId: string | undefined;
  accountId: string | undefined;
}

/** The newest first; kept while other views are looked at. */
const shown = signal<readonly LiveEvent[]>([]);
/** Where the stream goes on. */
let last: string | null = null;

/** Events as they come, from when this view was opened. */
export function EventsPage() {
  const wanted: Wanted = {
    type: textIn('type') as EventType | undefined,
    userId: textIn('user_id'),
    accountId: textIn('account_id'),
  };
  const isPaused = useSignal(false);
  useShown(wanted, isPaused.value);
  const rows = shown.value.filter((live) => isWanted(wanted, live));
  return (
    <>
      <PageHead title={say('nav.events')} hint={say('events.hint')}>
        <FilterChoice
          name="type"
          label={say('events.type')}
          options={EVENT_TYPE_NAMES.map((name) => [name, sayName('event', name)])}
        />
        <FilterEntry name="user_id" label={say('user')} kind="number" />
        <FilterEntry name="account_id" label={say('account')} pattern="[0-9a-fA-F-]{36}" />
        <button type="button" aria-pressed={isPaused.value} onClick={() => (isPaused.value = !isPaused.value)}>
          {say(isPaused.value ? 'events.go-on' : 'events.pause')}
        </button>
        <button type="button" onClick={() => (shown.value = [])}>
          {say('events.clear')}
        </button>
      </PageHead>
      {rows.length === 0 ? (
        <Empty>{say('events.none')}</Empty>
      ) : (
        <Table
          name={say('nav.events')}
          rows={rows}
          keyOf={({ event }) => event.id}
          columns={[
            { label: say('at'), show: ({ event }) => <Time at={event.time} exact /> },
            { label: say('events.type'), show: ({ event }) => sayName('event', event.type) },
            {
              label: say('account'),
              show: ({ event }) => (event.subject === undefined ? '–' : <AccountLink id={event.subject} />),
            },
            { label: say('details'), show: ({ event }) => <Details data={event.data} /> },
          ]}
        />
      )}
    </>
  );
}

/** Adds the wanted events to those shown as they come. */
function useShown({ type, userId, accountId }: Wanted, isPaused: boolean): void {
  useEffect(() => {
    if (isPaused) return;
    let waiting: LiveEvent[] = [];
    let frame = 0;
    // Many may come between two pictures of the screen.
    const flush = (): void => {
      frame = 0;
      shown.value = [...waiting.toReversed(), ...shown.value].slice(0, MAX_SHOWN);
      waiting = [];
    };
    const leave = follow({
      types: type === undefined ? undefined : [type],
      userId,
      accountId,
      after: () => last,
      onEvent: (event) => {
        last = event.position;
        waiting.push(event);
        if (frame === 0) frame = requestAnimationFrame(flush);
      },
    });
    return () => {
      leave();
      cancelAnimationFrame(frame);
      if (waiting.length > 0) flush();
    };
  }, [type, userId, accountId, isPaused]);
}

const isWanted = ({ type, userId, accountId }: Wanted, { event }: LiveEvent): boolean =>
  (type === undefined || event.type === type) &&
  (accountId === undefined || event.subject === accountId) &&
  (userId === undefined || String(event.data.user_id) === userId);
