import type { ReplyBody } from '../../../contracts/operations.js';
import { RARE_TYPES } from '../live.js';
import { AccountLink, Distance, PageHead, Panel, Time } from '../parts/basics.js';
import { FilterChoice, textIn } from '../parts/filters.js';
import { Listed } from '../parts/listed.js';
import { usePages } from '../parts/use-pages.js';
import { addressOf } from '../router.js';
import { say, sayName, type TextKey } from '../text.js';
import { ALERT_TEXTS } from '../texts/alerts.js';
import { useLive } from '../use-answer.js';

type Alert = ReplyBody<'query.alerts'>['alerts'][number];

/** Alerts with what each means and what to do. */
export function AlertsPage() {
  const state = textIn('state') as 'resolved' | 'all' | undefined;
  const severity = textIn('severity') as Alert['severity'] | undefined;
  const pages = usePages('query.alerts', { state: state ?? 'open', severity });
  useLive({ types: RARE_TYPES }, pages.first.refresh);
  return (
    <>
      <PageHead title={say('nav.alerts')} hint={say('alerts.hint')}>
        <FilterChoice
          name="state"
          label={say('alerts.state')}
          none={say('alerts.state.open')}
          options={[
            ['resolved', say('alerts.state.resolved')],
            ['all', say('all')],
          ]}
        />
        <FilterChoice
          name="severity"
          label={say('alerts.severity')}
          options={(['critical', 'warning', 'info'] as const).map((name) => [name, sayName('severity', name)])}
        />
      </PageHead>
      <Listed pages={pages} rowsOf={({ alerts }) => alerts} empty={say('alerts.none')}>
        {(alerts) => (
          <div class="panels">
            {alerts.map((alert) => (
              <AlertPanel key={alert.alert_id} alert={alert} />
            ))}
          </div>
        )}
      </Listed>
    </>
  );
}

const hasRunbook = (key: string): key is TextKey => key in ALERT_TEXTS;

function AlertPanel({
  alert: { alert, subject, severity, data, raised_at: raised, resolved_at: ended },
}: {
  alert: Alert;
}) {
  const cure = `alert.${alert}.do`;
  return (
    <Panel
      title={sayName('alert', alert)}
      aside={<span class={`severity severity-${severity}`}>{sayName('severity', severity)}</span>}
    >
      <p>
        {subject !== '' && <strong>{subject} · </strong>}
        {say('alerts.raised')} <Distance at={raised} />
        {ended !== null && (
          <>
            {' · '}
            {say('alerts.resolved')} <Time at={ended} />
          </>
        )}
      </p>
      {hasRunbook(cure) && <p class="runbook">{say(cure)}</p>}
      <Figures data={data} />
      <AlertLink alert={alert} />
    </Panel>
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Figures as they were told; ids of accounts lead there. */
function Figures({ data }: { data: Record<string, unknown> }) {
  const shown = Object.entries(data);
  if (shown.length === 0) return null;
  return (
    <dl class="figures">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>
            {[value].flat().map((one) => {
              const text = typeof one === 'string' ? one : JSON.stringify(one);
              return UUID.test(text) ? <AccountLink key={text} id={text} /> : <span key={text}>{text}</span>;
            })}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Where to go on looking. */
const PLACES: Record<string, [text: TextKey, path: string, fields: Record<string, string>]> = {
  flood_wait_share: ['nav.accounts', '/accounts', { status: 'flood_wait' }],
  blocked_share: ['nav.accounts', '/accounts', { status: 'blocked' }],
  overdue_recoveries: ['nav.jobs', '/jobs', {}],
  expired_leases: ['nav.jobs', '/jobs', {}],
  job_overdue: ['nav.jobs', '/jobs', {}],
  near_limits_share: ['nav.policy', '/policy', {}],
};

function AlertLink({ alert }: { alert: string }) {
  const target = PLACES[alert];
  if (target === undefined) return null;
  const [text, path, fields] = target;
  return (
    <p>
      <a href={addressOf(path, fields)}>{say(text)} →</a>
    </p>
  );
}
