import { useSignal } from '@preact/signals';
import type { ReplyBody } from '../../../contracts/operations.js';
import { recoverAct } from '../acts.js';
import { now } from '../clock.js';
import { RARE_TYPES } from '../live.js';
import { ActDialog } from '../parts/act.js';
import { AccountLink, Distance, PageHead, Status, Time } from '../parts/basics.js';
import { FilterChoice, FilterEntry, numberIn } from '../parts/filters.js';
import { Listed } from '../parts/listed.js';
import { Phone } from '../parts/phone.js';
import { type Axis, Span } from '../parts/span.js';
import { type Column, Table } from '../parts/table.js';
import { usePages } from '../parts/use-pages.js';
import { may } from '../session.js';
import { say, sayName } from '../text.js';
import { clockText, lengthText } from '../time.js';
import { useLive } from '../use-answer.js';

type Recovery = ReplyBody<'query.recoveries'>['recoveries'][number];

const WITHIN_SECONDS = [3_600, 21_600, 86_400, 604_800];

/** Waits by their end, the soonest first, drawn on one axis. */
export function RecoveriesPage() {
  const pages = usePages('query.recoveries', { user_id: numberIn('user_id'), within_seconds: numberIn('within') });
  useLive({ types: RARE_TYPES }, pages.first.refresh);
  const chosen = useSignal<string | null>(null);
  return (
    <>
      <PageHead title={say('nav.recoveries')} hint={say('recoveries.hint')}>
        <FilterChoice
          name="within"
          label={say('within')}
          options={WITHIN_SECONDS.map((seconds) => [String(seconds), lengthText(seconds * 1000)])}
        />
        <FilterEntry name="user_id" label={say('user')} kind="number" />
      </PageHead>
      <Listed pages={pages} rowsOf={({ recoveries }) => recoveries} empty={say('recoveries.none')}>
        {(recoveries) => {
          const axis = axisOf(recoveries);
          const [from, to] = [axis.from, axis.to].map((at) => clockText(at, now.value)) as [string, string];
          return (
            <>
              <p class="quiet">{say('recoveries.axis', { from, to })}</p>
              <Table
                name={say('nav.recoveries')}
                columns={columns(axis, (id) => (chosen.value = id))}
                rows={recoveries}
                keyOf={({ account_id: id }) => id}
              />
            </>
          );
        }}
      </Listed>
      {chosen.value && (
        <ActDialog act={recoverAct(chosen.value)} close={() => (chosen.value = null)} done={pages.first.refresh} />
      )}
    </>
  );
}

/** From the first beginning to the last end. */
const axisOf = (recoveries: readonly Recovery[]): Axis => ({
  from: Math.min(...recoveries.map(beginOf), now.value),
  to: Math.max(...recoveries.map(({ recovers_at: at }) => Date.parse(at)), now.value),
});

/** A wait whose beginning is not known is drawn from now on. */
const beginOf = ({ began_at: at }: Recovery): number => (at === null ? now.value : Date.parse(at));

const columns = (axis: Axis, recover: (id: string) => void): Column<Recovery>[] => [
  { label: say('ends'), show: ({ recovers_at: at }) => <Distance at={at} /> },
  { label: say('timeline'), show: (recovery) => <Wait recovery={recovery} axis={axis} /> },
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

function Wait({ recovery, axis }: { recovery: Recovery; axis: Axis }) {
  const [from, to] = [beginOf(recovery), Date.parse(recovery.recovers_at)];
  const passed = lengthText(now.value - from);
  return (
    <Span
      axis={axis}
      from={from}
      to={to}
      now={now.value}
      title={say('recoveries.passed', { passed, whole: lengthText(to - from) })}
    />
  );
}
