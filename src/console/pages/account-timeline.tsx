import type { HistoryEntry, HistoryType } from '../../../contracts/history.js';
import { Answered } from '../parts/answered.js';
import { Empty, TroubleNote, Panel, Time } from '../parts/basics.js';
import { Details } from '../parts/details.js';
import { FilterChoice, textIn } from '../parts/filters.js';
import { usePages } from '../parts/use-pages.js';
import { keepInAddress } from '../router.js';
import { say, sayName } from '../text.js';
import { HISTORY_TYPE_NAMES } from '../texts/events.js';

/** Everything that was done with an account, the newest first. `round` asks anew. */
export function AccountTimeline({ id, round }: { id: string; round: number }) {
  const type = textIn('type') as HistoryType | undefined;
  const pages = usePages('query.history', { account_id: id, type, limit: 50 }, { round });
  return (
    <Panel
      title={say('timeline')}
      wide
      aside={
        <>
          <button type="button" onClick={() => keepInAddress({ type: 'error.reported' })}>
            {say('timeline.errors')}
          </button>
          <FilterChoice
            name="type"
            label={say('events.type')}
            options={HISTORY_TYPE_NAMES.map((name) => [name, sayName('event', name)])}
          />
        </>
      }
    >
      <Answered answer={pages.first}>
        {(first) => {
          const entries = [first, ...pages.later].flatMap((page) => page.entries);
          return (
            <>
              {entries.length === 0 && <Empty>{say('timeline.none')}</Empty>}
              <ol class="timeline">
                {entries.map((entry, at) => (
                  <Entry key={`${entry.sequence} ${entry.type} ${entry.occurred_at} ${at}`} entry={entry} />
                ))}
              </ol>
              {pages.trouble && <TroubleNote trouble={pages.trouble} />}
              {pages.more && (
                <button type="button" class="more" onClick={pages.more}>
                  {say('more')}
                </button>
              )}
            </>
          );
        }}
      </Answered>
    </Panel>
  );
}

function Entry({
  entry: { type, occurred_at: at, service_name: service, caller, reason, details },
}: {
  entry: HistoryEntry;
}) {
  const kind = type.split('.')[0] ?? '';
  return (
    <li class={`entry entry-${kind}`}>
      <Time at={at} exact />
      <div>
        <p>
          <strong>{sayName('event', type)}</strong> {service ?? caller ?? ''}
          {reason !== null && <span class="reason"> “{reason}”</span>}
        </p>
        <Details data={details} />
      </div>
    </li>
  );
}
