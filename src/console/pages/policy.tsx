import type { ReplyBody } from '../../../contracts/operations.js';
import type { ActionType } from '../../../contracts/fields.js';
import { Answered } from '../parts/answered.js';
import { PageHead, Panel } from '../parts/basics.js';
import { type Column, Table } from '../parts/table.js';
import { numberText, say, sayName, type TextKey } from '../text.js';
import { ACTION_NAMES } from '../texts/names.js';
import { useAnswer } from '../use-answer.js';

type Policy = ReplyBody<'query.policy'>;
type NumberName = keyof Policy['limits'][ActionType];

const NUMBERS: readonly NumberName[] = [
  'daily_limit',
  'hourly_limit',
  'per_channel_daily',
  'per_channel_total',
  'cooldown_seconds',
  'burst_limit',
  'burst_cooldown_seconds',
];

/** The limits in force, and what else the service goes by. */
export function PolicyPage() {
  const answer = useAnswer('query.policy', {});
  return (
    <>
      <PageHead title={say('nav.policy')} hint={say('policy.hint')} />
      <Answered answer={answer}>
        {(policy) => (
          <>
            <Panel title={say('policy.limits')} wide>
              <Table
                name={say('policy.limits')}
                columns={columns(policy)}
                rows={ACTION_NAMES}
                keyOf={(action) => action}
              />
            </Panel>
            <div class="panels">
              <Panel title={say('policy.rules')}>
                <ul class="plain">
                  <li>{say(policy.count_failed_attempts ? 'policy.failed.count' : 'policy.failed.free')}</li>
                  <li>
                    {policy.reentry.days === 0
                      ? say('policy.reentry.none')
                      : say('policy.reentry', { days: policy.reentry.days, percent: policy.reentry.daily_percent })}
                  </li>
                  <li>{say('policy.history', { days: policy.history_days })}</li>
                </ul>
              </Panel>
              <Panel title={say('policy.alerts')}>
                <ul class="plain">
                  <li>{say('policy.alerts.flood', { percent: policy.alerts.flood_wait_percent })}</li>
                  <li>{say('policy.alerts.blocked', { percent: policy.alerts.blocked_percent })}</li>
                  <li>
                    {say('policy.alerts.near', {
                      percent: policy.alerts.near_limits_percent,
                      near: policy.alerts.near_limit_percent,
                    })}
                  </li>
                </ul>
              </Panel>
              <Panel title={say('policy.cadences')}>
                <dl class="figures">
                  {Object.entries(policy.cadences).map(([job, cron]) => (
                    <div key={job}>
                      <dt>{sayName('job', job)}</dt>
                      <dd>
                        <code>{cron}</code>
                      </dd>
                    </div>
                  ))}
                </dl>
              </Panel>
            </div>
          </>
        )}
      </Answered>
    </>
  );
}

const columns = ({ limits, differing }: Policy): Column<ActionType>[] => [
  { label: say('action'), show: (action) => sayName('action', action) },
  ...NUMBERS.map((name) => ({
    label: say(`policy.${name}` satisfies TextKey),
    isNumber: true,
    show: (action: ActionType) => {
      const usual = differing[action]?.[name];
      return (
        <>
          {limitText(limits[action][name])}
          {usual !== undefined && <span class="differs"> {say('policy.default', { usual: limitText(usual) })}</span>}
        </>
      );
    },
  })),
];

const limitText = (value: number | null): string => (value === null ? '–' : numberText(value));
