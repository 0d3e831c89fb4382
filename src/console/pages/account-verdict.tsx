import { useSignal } from '@preact/signals';
import type { Purpose } from '../../../contracts/fields.js';
import { Answered } from '../parts/answered.js';
import { Empty, Panel } from '../parts/basics.js';
import { addressOf } from '../router.js';
import { ruleText, summaryText } from '../rules.js';
import { say, sayName } from '../text.js';
import { PURPOSE_NAMES } from '../texts/names.js';
import { useAnswer } from '../use-answer.js';

/** Whether the account could be granted for a purpose, and every rule of that in words. `round` asks anew. */
export function AccountVerdict({ id, userId, round }: { id: string; userId: number; round: number }) {
  const purpose = useSignal<Purpose>('invite_campaign');
  const answer = useAnswer('query.explain', { user_id: userId, purpose: purpose.value }, { round });
  return (
    <Panel
      title={say('verdict')}
      aside={
        <select
          aria-label={say('purpose')}
          value={purpose.value}
          onChange={(event) => (purpose.value = event.currentTarget.value as Purpose)}
        >
          {PURPOSE_NAMES.map((name) => (
            <option key={name} value={name}>
              {sayName('purpose', name)}
            </option>
          ))}
        </select>
      }
    >
      <Answered answer={answer}>
        {({ accounts }) => {
          const found = accounts.find(({ account_id: one }) => one === id);
          if (found === undefined) return <Empty>{say('verdict.none')}</Empty>;
          return (
            <>
              <p class="sentence">{summaryText(found)}</p>
              <ul class="rules">
                {found.rules.map((rule) => (
                  <li key={`${rule.rule} ${rule.action_type ?? ''}`} class={rule.passed ? 'passed' : 'failed'}>
                    <span role="img" aria-label={say(rule.passed ? 'rule.passed' : 'rule.failed')}>
                      {rule.passed ? '✓' : '✕'}
                    </span>{' '}
                    {ruleText(rule)}
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Answered>
      <p>
        <a href={addressOf('/why', { user_id: userId, purpose: purpose.value })}>{say('verdict.all')}</a>
      </p>
    </Panel>
  );
}
