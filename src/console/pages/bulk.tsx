import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { GivenBody, ReplyBody } from '../../../contracts/operations.js';
import type { BULK_ACTIONS } from '../../../contracts/fleet-work.js';
import { ask, type Trouble, troubleOf } from '../api.js';
import { AccountLink, TroubleNote, Waiting } from '../parts/basics.js';
import { Dialog } from '../parts/dialog.js';
import { readForm } from '../parts/read-form.js';
import { numberText, say } from '../text.js';
import type { Filter } from './account-rows.js';

type Action = (typeof BULK_ACTIONS)[number];
type BulkFilter = GivenBody<'admin.bulk'>['filter'];
type Counts = ReplyBody<'admin.bulk'>;

const ACTIONS = ['recover', 'activate', 'drain', 'disable', 'force-release'] as const satisfies readonly Action[];

interface Work {
  action: Action;
  filter: BulkFilter;
}

/** Buttons that act on all accounts that match, or on the selected ones. */
export function BulkBar({
  filter,
  total,
  selected,
  done,
}: {
  filter: Filter;
  total: number | null;
  selected: ReadonlySet<string>;
  done: () => void;
}) {
  const work = useSignal<Work | null>(null);
  const matching = toBulkFilter(filter);
  const target = selected.size > 0 ? { account_ids: [...selected] } : matching;
  return (
    <div class="bulk">
      <span>
        {selected.size > 0
          ? say('bulk.selected', { n: selected.size })
          : target === null
            ? say('bulk.select-first')
            : say('bulk.all', { n: total ?? 0 })}
      </span>
      {target !== null &&
        ACTIONS.map((action) => (
          <button
            key={action}
            type="button"
            class={action === 'disable' ? 'danger' : undefined}
            disabled={selected.size === 0 && !total}
            onClick={() => (work.value = { action, filter: target })}
          >
            {say(`bulk.${action}`)}
          </button>
        ))}
      {work.value && <BulkDialog work={work.value} close={() => (work.value = null)} done={done} />}
    </div>
  );
}

/** The list's filter as the operation takes it; null where it has no such condition, or none at all is given. */
function toBulkFilter({
  search,
  only_available: isFree,
  user_id,
  status,
  disabled_reason,
  leased_by,
}: Filter): BulkFilter | null {
  if (search || isFree) return null;
  const filter = { user_id, status, disabled_reason, leased_by };
  return Object.values(filter).some((value) => value !== undefined && value !== null) ? filter : null;
}

/** Counts first; then does it, if the count is still the same. */
function BulkDialog({ work: { action, filter }, close, done }: { work: Work; close: () => void; done: () => void }) {
  const counted = useSignal<Counts | null>(null);
  const result = useSignal<Counts | null>(null);
  const trouble = useSignal<Trouble | null>(null);
  const isBusy = useSignal(false);

  const send = (body: Pick<GivenBody<'admin.bulk'>, 'reason' | 'dry_run' | 'expected_count'>): Promise<void> => {
    isBusy.value = true;
    trouble.value = null;
    return ask('admin.bulk', { action, filter, ...body })
      .then((reply) => void ((body.dry_run ? counted : result).value = reply))
      .catch((error: unknown) => void (trouble.value = troubleOf(error)))
      .finally(() => (isBusy.value = false));
  };
  const count = (): void => void send({ reason: 'count', dry_run: true });
  useEffect(count, []);

  const submit = (event: SubmitEvent): void => {
    const { reason = '' } = readForm(event);
    void send({ reason, expected_count: counted.value?.matched }).then(() => {
      if (result.value !== null) done();
      else if (trouble.value?.code === 'COUNT_CHANGED') {
        const { matched } = trouble.value.details as { matched: number };
        if (counted.value) counted.value = { ...counted.value, matched };
      }
    });
  };

  const title = say(`bulk.${action}`);
  return (
    <Dialog title={title} close={close}>
      {result.value === null ? (
        <form onSubmit={submit}>
          {counted.value && (
            <p class="big">
              {say('bulk.confirm', {
                matched: counted.value.matched,
                changed: counted.value.changed,
                unchanged: counted.value.unchanged,
              })}
            </p>
          )}
          <p>{say(`bulk.${action}.explain`)}</p>
          <div class="field">
            <label for="bulk-reason">{say('reason')}</label>
            <input id="bulk-reason" name="reason" required maxLength={300} autocomplete="off" />
            <p class="hint">{say('reason.hint')}</p>
          </div>
          {trouble.value && <TroubleNote trouble={trouble.value} again={counted.value === null ? count : undefined} />}
          {isBusy.value && <Waiting>{say(counted.value === null ? 'bulk.counting' : 'doing')}</Waiting>}
          <div class="buttons">
            <button type="button" onClick={close}>
              {say('cancel')}
            </button>
            <button
              type="submit"
              class={action === 'disable' ? 'primary danger' : 'primary'}
              disabled={isBusy.value || !counted.value?.matched}
            >
              {title}
              {counted.value && ` · ${numberText(counted.value.matched)}`}
            </button>
          </div>
        </form>
      ) : (
        <Outcome counts={result.value} close={close} />
      )}
    </Dialog>
  );
}

function Outcome({ counts: { matched, changed, unchanged, failed }, close }: { counts: Counts; close: () => void }) {
  return (
    <>
      <p class="big" role="status">
        {say('bulk.outcome', { matched, changed, unchanged, failed: failed.length })}
      </p>
      {failed.length > 0 && (
        <ul class="plain">
          {failed.slice(0, 50).map(({ account_id: id, code }) => (
            <li key={id}>
              <AccountLink id={id} /> <code>{code}</code>
            </li>
          ))}
        </ul>
      )}
      <div class="buttons">
        <button type="button" class="primary" autofocus onClick={close}>
          {say('close')}
        </button>
      </div>
    </>
  );
}
