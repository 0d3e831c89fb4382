import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import {
  activateAct,
  disableAct,
  drainAct,
  reauthorizeAct,
  recoverAct,
  releaseAct,
  removeAct,
  scheduleAct,
} from '../acts.js';
import { type Act, ActDialog } from '../parts/act.js';
import { Answered } from '../parts/answered.js';
import { Distance, Empty, PageHead, Status, Time } from '../parts/basics.js';
import { Phone } from '../parts/phone.js';
import { addressOf } from '../router.js';
import { may } from '../session.js';
import { numberText, say, sayName } from '../text.js';
import { useAnswer, useLive } from '../use-answer.js';
import type { Account } from './account-rows.js';
import { AccountLimits } from './account-limits.js';
import { AccountTimeline } from './account-timeline.js';
import { AccountVerdict } from './account-verdict.js';

/** Everything about one account, and all that can be done with it. */
export function AccountPage({ id }: { id: string }) {
  const account = useAnswer('query.accounts', { search: id, limit: 1 });
  const round = useSignal(0);
  const refresh = useMemo(
    () => () => {
      account.refresh();
      round.value++;
    },
    [account.refresh],
  );
  useLive({ accountId: id }, refresh);
  const act = useSignal<Act | null>(null);
  const found = account.value?.accounts[0] ?? null;
  return (
    <>
      <PageHead title={say('account.title', { id: id.slice(0, 8) })}>
        {found && <Acts id={id} account={found} choose={(given) => (act.value = given)} />}
      </PageHead>
      <p class="quiet id-whole">
        <code>{id}</code>
      </p>
      <Answered answer={account}>
        {() => (found === null ? <Empty>{say('account.gone')}</Empty> : <Standing account={found} />)}
      </Answered>
      {found && (
        <>
          <div class="panels two">
            {may('query.limits') && <AccountLimits id={id} round={round.value} />}
            {may('query.explain') && <AccountVerdict id={id} userId={found.user_id} round={round.value} />}
          </div>
        </>
      )}
      {may('query.history') && <AccountTimeline id={id} round={round.value} />}
      {act.value && <ActDialog act={act.value} close={() => (act.value = null)} done={refresh} />}
    </>
  );
}

/** Status with cause and end, and who holds it. */
function Standing({ account }: { account: Account }) {
  const { restricted_by: cause } = account;
  const why = [
    cause?.telegram_error,
    cause?.classified_as && sayName('class', cause.classified_as),
    cause?.reason,
  ].filter(Boolean);
  return (
    <dl class="standing">
      <div>
        <dt>{say('status')}</dt>
        <dd>
          <Status status={account.status} reason={account.disabled_reason} />
        </dd>
      </div>
      {why.length > 0 && (
        <div>
          <dt>{say('cause')}</dt>
          <dd>{why.join(' · ')}</dd>
        </div>
      )}
      {account.recovery_at !== null && (
        <div>
          <dt>{say('ends')}</dt>
          <dd>
            <Distance at={account.recovery_at} /> · <Time at={account.recovery_at} exact />
          </dd>
        </div>
      )}
      <div>
        <dt>{say('holder')}</dt>
        <dd>
          {account.leased_by === null ? (
            say('holder.none')
          ) : (
            <>
              <a href={addressOf('/leases', { service_name: account.leased_by })}>{account.leased_by}</a>{' '}
              {say('holder.until')} <Distance at={account.leased_until} />
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>{say('user')}</dt>
        <dd>
          <a href={addressOf('/accounts', { user_id: account.user_id })}>{account.user_id}</a>
        </dd>
      </div>
      <div>
        <dt>{say('phone')}</dt>
        <dd>
          <Phone masked={account.phone} accountId={account.account_id} />
        </dd>
      </div>
      <div>
        <dt>{say('errors')}</dt>
        <dd>{numberText(account.error_count)}</dd>
      </div>
      <div>
        <dt>{say('last-used')}</dt>
        <dd>
          <Distance at={account.last_used_at} />
        </dd>
      </div>
    </dl>
  );
}

function Acts({ id, account, choose }: { id: string; account: Account; choose: (act: Act) => void }) {
  const waits = account.recovery_at !== null;
  const buttons: [isShown: boolean, make: () => Act, isDangerous?: boolean][] = [
    [may('admin.recover'), () => recoverAct(id)],
    [may('admin.schedule-recovery') && waits, () => scheduleAct(id)],
    [may('admin.set-status') && account.status !== 'active', () => activateAct(id)],
    [may('admin.set-status') && account.status !== 'draining', () => drainAct(id)],
    [may('admin.force-release') && account.leased_by !== null, () => releaseAct(id, account.leased_by ?? '')],
    [may('admin.reauthorize'), () => reauthorizeAct(id)],
    [may('admin.set-status') && account.status !== 'disabled', () => disableAct(id), true],
    [may('admin.remove'), () => removeAct(id), true],
  ];
  return (
    <div class="buttons">
      {buttons
        .filter(([isShown]) => isShown)
        .map(([, make, isDangerous]) => {
          const act = make();
          return (
            <button
              key={act.title}
              type="button"
              class={isDangerous ? 'danger' : undefined}
              onClick={() => choose(act)}
            >
              {act.title}
            </button>
          );
        })}
    </div>
  );
}
