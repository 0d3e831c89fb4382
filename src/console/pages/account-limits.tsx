import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ReplyBody } from '../../../contracts/operations.js';
import type { ActionType } from '../../../contracts/fields.js';
import { ask } from '../api.js';
import { Answered } from '../parts/answered.js';
import { Distance, Panel, Time } from '../parts/basics.js';
import { Gauge } from '../parts/gauge.js';
import { type Column, Table } from '../parts/table.js';
import { may } from '../session.js';
import { say, sayName } from '../text.js';
import { ACTION_NAMES } from '../texts/names.js';
import { useAnswer } from '../use-answer.js';

type Limits = ReplyBody<'query.limits'>['status'];
type Check = ReplyBody<'action.check'>;
type Checks = Partial<Record<ActionType, Check>>;

/** Every limit of an account as a gauge, with the instant at which the next action is possible. `round` asks anew. */
export function AccountLimits({ id, round }: { id: string; round: number }) {
  const answer = useAnswer('query.limits', { account_id: id }, { everySeconds: 20, round });
  const checks = useChecks(id, answer.at);
  return (
    <Panel title={say('limits')}>
      <Answered answer={answer}>
        {({ status }) => (
          <>
            {status.reentry && (
              <p class="banner">
                {say('limits.reentry', { percent: status.reentry.daily_percent })} <Time at={status.reentry.until} />
              </p>
            )}
            <Table
              name={say('limits')}
              rows={ACTION_NAMES}
              keyOf={(action) => action}
              columns={columns(status, checks)}
            />
            <Channels limits={status.per_channel_limits} />
          </>
        )}
      </Answered>
    </Panel>
  );
}

/** When each action is possible next; asked again with every answer. */
function useChecks(id: string, at: number | null): Checks {
  const checks = useSignal<Checks>({});
  useEffect(() => {
    if (at === null || !may('action.check')) return;
    const leaving = new AbortController();
    for (const action of ACTION_NAMES) {
      ask('action.check', { account_id: id, action_type: action }, { signal: leaving.signal })
        .then((check) => (checks.value = { ...checks.value, [action]: check }))
        .catch(() => undefined); // the gauges say what is used without it
    }
    return () => leaving.abort();
  }, [id, at]);
  return checks.value;
}

const columns = (limits: Limits, checks: Checks): Column<ActionType>[] => [
  { label: say('action'), show: (action) => sayName('action', action) },
  {
    label: say('limits.today'),
    show: (action) => (
      <Gauge {...limits.daily_limits[action]} label={`${sayName('action', action)}: ${say('limits.today')}`} />
    ),
  },
  {
    label: say('limits.hour'),
    show: (action) => (
      <Gauge {...limits.hourly_limits[action]} label={`${sayName('action', action)}: ${say('limits.hour')}`} />
    ),
  },
  {
    label: say('limits.burst'),
    show: (action) => (
      <Gauge {...limits.burst_status[action]} label={`${sayName('action', action)}: ${say('limits.burst')}`} />
    ),
  },
  { label: say('limits.next'), show: (action) => <Next check={checks[action]} /> },
];

function Next({ check }: { check: Check | undefined }) {
  if (check === undefined) return <span class="quiet">–</span>;
  if (check.allowed) return <span class="good">{say('limits.now')}</span>;
  return (
    <span>
      {check.next_allowed_at === null ? say('rule.never') : <Distance at={check.next_allowed_at} />}
      {check.reason !== null && <span class="quiet"> · {sayName('rule', check.reason)}</span>}
    </span>
  );
}

function Channels({ limits }: { limits: Limits['per_channel_limits'] }) {
  const rows = ACTION_NAMES.flatMap((action) =>
    Object.entries((limits as Partial<typeof limits>)[action] ?? {}).map(([channel, window]) => ({
      action,
      channel,
      window,
    })),
  );
  if (rows.length === 0) return null;
  return (
    <>
      <h3>{say('limits.channels')}</h3>
      <Table
        name={say('limits.channels')}
        rows={rows}
        keyOf={({ action, channel }) => `${action} ${channel}`}
        columns={[
          { label: say('channel'), show: ({ channel }) => channel },
          { label: say('action'), show: ({ action }) => sayName('action', action) },
          {
            label: say('limits.today'),
            show: ({ channel, window }) => <Gauge {...window} label={`${channel}: ${say('limits.today')}`} />,
          },
          {
            label: say('limits.ever'),
            show: ({ channel, window }) => <Gauge {...window.total} label={`${channel}: ${say('limits.ever')}`} />,
          },
        ]}
      />
    </>
  );
}
