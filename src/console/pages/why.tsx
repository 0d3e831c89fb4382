import type { Purpose } from '../../../contracts/fields.js';
import { Answered } from '../parts/answered.js';
import { AccountLink, Empty, PageHead, Status, Time } from '../parts/basics.js';
import { textIn } from '../parts/filters.js';
import { Phone } from '../parts/phone.js';
import { readForm } from '../parts/read-form.js';
import { addressOf, go, query } from '../router.js';
import { type Explained, ruleText, summaryText } from '../rules.js';
import { say, sayName } from '../text.js';
import { PURPOSE_NAMES } from '../texts/names.js';
import { useAnswer } from '../use-answer.js';

/** Every account of a user with what keeps it back and until when; or why one request was answered as it was. */
export function WhyPage() {
  const requestId = textIn('request_id');
  const user = textIn('user_id');
  const body =
    requestId !== undefined
      ? { request_id: requestId }
      : user !== undefined
        ? {
            user_id: Number(user),
            purpose: (textIn('purpose') ?? 'general') as Purpose,
            target_channel_id: textIn('channel'),
          }
        : null;
  return (
    <>
      <PageHead title={say('nav.why')} hint={say('why.hint')} />
      <Question />
      {body !== null && <Verdict key={JSON.stringify(body)} body={body} />}
    </>
  );
}

function Question() {
  const submit = (event: SubmitEvent): void => {
    const fields = readForm(event);
    go(addressOf('/why', fields.request_id ? { request_id: fields.request_id } : fields));
  };
  return (
    <form class="tools" onSubmit={submit} key={query.value.toString()}>
      <div class="filter">
        <label for="why-user">{say('user')}</label>
        <input
          id="why-user"
          name="user_id"
          inputMode="numeric"
          pattern="[0-9]*"
          data-search
          defaultValue={textIn('user_id')}
        />
      </div>
      <div class="filter">
        <label for="why-purpose">{say('purpose')}</label>
        <select id="why-purpose" name="purpose" defaultValue={textIn('purpose') ?? 'invite_campaign'}>
          {PURPOSE_NAMES.map((purpose) => (
            <option key={purpose} value={purpose} selected={purpose === (textIn('purpose') ?? 'invite_campaign')}>
              {sayName('purpose', purpose)}
            </option>
          ))}
        </select>
      </div>
      <div class="filter">
        <label for="why-channel">{say('channel')}</label>
        <input id="why-channel" name="channel" defaultValue={textIn('channel')} placeholder="@name" />
      </div>
      <div class="filter">
        <label for="why-request">{say('why.request')}</label>
        <input id="why-request" name="request_id" defaultValue={textIn('request_id')} placeholder="UUID" />
      </div>
      <button type="submit" class="primary">
        {say('why.ask')}
      </button>
    </form>
  );
}

type ExplainBody = Parameters<typeof useAnswer<'query.explain'>>[1];

function Verdict({ body }: { body: ExplainBody }) {
  const answer = useAnswer('query.explain', body);
  return (
    <Answered answer={answer}>
      {({ accounts, total_accounts: total, explained_at: at, request }) => (
        <>
          {request && (
            <p class="banner">
              {request.service_name} · <Time at={request.answered_at} exact /> · {request.summary}
            </p>
          )}
          <p>
            {say('why.count', {
              free: accounts.filter(({ grantable }) => grantable).length,
              shown: accounts.length,
              total,
            })}{' '}
            <span class="quiet">
              <Time at={at} exact />
            </span>
          </p>
          {accounts.length === 0 && <Empty>{say('why.none')}</Empty>}
          <ul class="verdicts">
            {[...accounts]
              .sort((one, other) => Number(one.grantable) - Number(other.grantable))
              .map((account) => (
                <AccountVerdict key={account.account_id} account={account} />
              ))}
          </ul>
        </>
      )}
    </Answered>
  );
}

function AccountVerdict({ account }: { account: Explained }) {
  const failing = account.rules.filter(({ passed }) => !passed);
  return (
    <li class={account.grantable ? 'verdict free' : 'verdict'}>
      <p>
        <AccountLink id={account.account_id} /> <Status status={account.status} />{' '}
        <Phone masked={account.phone} accountId={account.account_id} />
      </p>
      <p class="sentence">{summaryText(account)}</p>
      {failing.length > 0 && (
        <ul class="rules">
          {failing.map((rule) => (
            <li key={`${rule.rule} ${rule.action_type ?? ''}`}>{ruleText(rule)}</li>
          ))}
        </ul>
      )}
    </li>
  );
}
