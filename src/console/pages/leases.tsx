import { useSignal } from '@preact/signals';
import type { ReplyBody } from '../../../contracts/operations.js';
import type { EventType } from '../../../contracts/events.js';
import { releaseAct } from '../acts.js';
import { ActDialog } from '../parts/act.js';
import { AccountLink, Distance, PageHead, Time } from '../parts/basics.js';
import { FilterEntry, numberIn, textIn } from '../parts/filters.js';
import { Listed } from '../parts/listed.js';
import { Phone } from '../parts/phone.js';
import { type Column, Table } from '../parts/table.js';
import { usePages } from '../parts/use-pages.js';
import { may } from '../session.js';
import { numberText, say, sayName } from '../text.js';
import { useLive } from '../use-answer.js';

type Lease = ReplyBody<'query.leases'>['leases'][number];

const TYPES: readonly EventType[] = [
  'account.allocated',
  'account.renewed',
  'account.released',
  'account.lease_expired',
];

/** Open leases, the earliest end first. */
export function LeasesPage() {
  const pages = usePages('query.leases', { user_id: numberIn('user_id'), service_name: textIn('service_name') });
  useLive({ types: TYPES }, pages.first.refresh);
  const released = useSignal<Lease | null>(null);
  return (
    <>
      <PageHead title={say('nav.leases')} hint={say('leases.hint')}>
        <FilterEntry name="service_name" label={say('service')} />
        <FilterEntry name="user_id" label={say('user')} kind="number" />
      </PageHead>
      <Listed pages={pages} rowsOf={({ leases }) => leases} empty={say('leases.none')}>
        {(leases) => (
          <Table
            name={say('nav.leases')}
            columns={columns((lease) => (released.value = lease))}
            rows={leases}
            keyOf={({ lease_id: id }) => id}
          />
        )}
      </Listed>
      {released.value && (
        <ActDialog
          act={releaseAct(released.value.account_id, released.value.service_name)}
          close={() => (released.value = null)}
          done={pages.first.refresh}
        />
      )}
    </>
  );
}

const columns = (release: (lease: Lease) => void): Column<Lease>[] => [
  { label: say('account'), show: ({ account_id: id }) => <AccountLink id={id} /> },
  { label: say('phone'), show: ({ phone, account_id: id }) => <Phone masked={phone} accountId={id} /> },
  { label: say('user'), show: ({ user_id: user }) => user, isNumber: true },
  { label: say('service'), show: ({ service_name: service }) => service },
  { label: say('purpose'), show: ({ purpose }) => sayName('purpose', purpose) },
  { label: say('channel'), show: ({ target_channel: channel }) => channel ?? '–' },
  {
    label: say('done-so-far'),
    show: ({ actions }) =>
      Object.entries(actions)
        .map(([action, count]) => `${sayName('action', action)} ${numberText(count)}`)
        .join(', ') || '–',
  },
  { label: say('since'), show: ({ allocated_at: at }) => <Time at={at} /> },
  { label: say('ends'), show: ({ expires_at: at }) => <Distance at={at} /> },
  ...(may('admin.force-release')
    ? [
        {
          label: say('work'),
          show: (lease: Lease) => (
            <button type="button" onClick={() => release(lease)}>
              {say('act.release')}
            </button>
          ),
        },
      ]
    : []),
];
