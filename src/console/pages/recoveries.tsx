import type { Reply } from '../api.js';
import { useSignal } from '@preact/signals';
import { recoverAct } from '../acts.js';
import { now } from '../clock.js';
import { RARE_TYPES } from '../live.js';
import { ActDialog } from '../parts/act.js';
import { Bar } from '../parts/bar.js';
import { AccountLink, Distance, PageHead, Status, Time } from '../parts/basics.js';
import { Choice, Entry, numberIn } from '../parts/filters.js';
import { Listed } from '../parts/listed.js';
import { Phone } from '../parts/phone.js';
import { type Column, Table } from '../parts/table.js';
import { usePages } from '../parts/use-pages.js';
import { may } from '../session.js';
import { say, sayName } from '../text.js';
import { lengthText } from '../time.js';
import { useLive } from '../use-answer.js';

type Recovery = Reply<'query.recoveries'>['recoveries'][number];

const WITHIN_SECONDS = [3_600, 21_600, 86_400, 604_800];

/** What ends when: the soonest first, each with how much of its wait has passed. */
export function RecoveriesPage() {
  const pages = usePages('query.recoveries', { user_id: numberIn('user_id'), within_seconds: numberIn('within') });
  useLive({ types: RARE_TYPES }, pages.first.refresh);
  const chosen = useSignal<string | null>(null);
  return (
    <>
      <PageHead title={say('nav.recoveries')} hint={say('recoveries.hint')}>
        <Choice
          name="within"
          label={say('within')}
          options={WITHIN_SECONDS.map((seconds) => [String(seconds), lengthText(seconds * 1000)])}
        />
        <Entry name="user_id" label={say('user')} kind="number" />
      </PageHead>
      <Listed pages={pages} rowsOf={({ recoveries }) => recoveries} empty={say('recoveries.none')}>
        {(recoveries) => (
          <Table
            name={say('nav.recoveries')}
            columns={columns((id) => (chosen.value = id))}
            rows={recoveries}
            keyOf={({ account_id: id }) => id}
          />
        )}
      </Listed>
      {chosen.value && (
        <ActDialog act={recoverAct(chosen.value)} close={() => (chosen.value = null)} done={pages.first.refresh} />
      )}
    </>
  );
}

const columns = (recover: (id: string) => void): Column<Recovery>[] => [
  { label: say('ends'), show: ({ recovers_at: at }) => <Distance at={at} /> },
  { label: say('passed'), show: (recovery) => <Passed recovery={recovery} /> },
  { label: say('account'), show: ({ account_id: id }) => <AccountLink id={id} /> },
  { label: say('phone'), show: ({ phone, account_id: id }) => <Phone masked={phone} accountId={id} /> },
  { label: say('user'), show: ({ user_id: user }) => user, isNumber: true },
  { label: say('status'), show: ({ status }) => <Status status={status} /> },
  {
    label: say('cause'),
    show: ({ classified_as: kind, telegram_error: error }) => error ?? (kind === null ? '–' : sayName('class', kind)),
  },
  { label: say('began'), show: ({ began_at: at }) => <Time at={at} /> },
  { label: say('at'), show: ({ recovers_at: at }) => <Time at={at} exact /> },
  ...(may('admin.recover')
    ? [
        {
          label: say('work'),
          show: ({ account_id: id }: Recovery) => (
            <button type="button" onClick={() => recover(id)}>
              {say('act.recover')}
            </button>
          ),
        },
      ]
    : []),
];

/** How much of a wait has passed. */
function Passed({ recovery: { began_at: from, recovers_at: to } }: { recovery: Recovery }) {
  if (from === null) return <span class="quiet">–</span>;
  const whole = Date.parse(to) - Date.parse(from);
  return (
    <span title={lengthText(whole)}>
      <Bar value={now.value - Date.parse(from)} whole={whole} label={say('passed')} level="time" />
    </span>
  );
}
