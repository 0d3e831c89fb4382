import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AccountStatus, DisabledReason } from '../../../contracts/fields.js';
import { Empty, TroubleNote, PageHead, Waiting } from '../parts/basics.js';
import { FilterChoice, FilterEntry, numberIn, textIn } from '../parts/filters.js';
import { query } from '../router.js';
import { may } from '../session.js';
import { numberText, say, sayName } from '../text.js';
import { DISABLED_REASON_NAMES, STATUS_NAMES } from '../texts/names.js';
import { AccountGrid } from './account-grid.js';
import { type Filter, useAccountRows } from './account-rows.js';
import { BulkBar } from './bulk.js';

/** Filter that the address bar asks for. */
const readFilter = (): Filter => ({
  search: textIn('search'),
  user_id: numberIn('user_id'),
  status: textIn('status') as AccountStatus | undefined,
  disabled_reason: textIn('disabled_reason') as DisabledReason | undefined,
  leased_by: textIn('leased_by'),
  only_available: query.value.get('free') === 'yes' ? true : undefined,
});

/** All accounts, found by what the address says, and work on many of them. */
export function AccountsPage() {
  const filter = readFilter();
  const list = useAccountRows(filter);
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const asked = JSON.stringify(filter);
  useEffect(() => {
    selected.value = new Set();
  }, [asked]);
  return (
    <div class="full-height">
      <PageHead title={say('nav.accounts')}>
        <FilterEntry name="search" label={say('search.short')} />
        <FilterChoice
          name="status"
          label={say('status')}
          options={STATUS_NAMES.map((name) => [name, sayName('status', name)])}
        />
        <FilterChoice
          name="disabled_reason"
          label={say('disabled-reason')}
          options={DISABLED_REASON_NAMES.map((name) => [name, sayName('disabled', name)])}
        />
        <FilterEntry name="leased_by" label={say('holder')} />
        <FilterEntry name="user_id" label={say('user')} kind="number" />
        <FilterChoice name="free" label={say('free')} options={[['yes', say('free.only')]]} />
      </PageHead>
      <div class="list-head">
        <p role="status">
          {list.total !== null &&
            say(list.isAtLeast ? 'accounts.count.more' : 'accounts.count', {
              n: list.total,
              of: numberText(list.total),
            })}
          {list.isLoading && <span class="quiet"> {say('loading')}</span>}
        </p>
        {may('admin.bulk') && (
          <BulkBar filter={filter} total={list.total} selected={selected.value} done={list.reload} />
        )}
      </div>
      {list.trouble && <TroubleNote trouble={list.trouble} again={list.reload} />}
      {list.total === null && list.trouble === null && <Waiting>{say('loading')}</Waiting>}
      {list.total === 0 && <Empty>{say('accounts.none')}</Empty>}
      {list.rows.length > 0 && (
        <AccountGrid
          list={list}
          selected={selected.value}
          select={may('admin.bulk') ? (ids) => (selected.value = ids) : null}
        />
      )}
    </div>
  );
}
