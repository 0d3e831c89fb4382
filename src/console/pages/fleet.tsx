import type { ReplyBody } from '../../../contracts/operations.js';
import { RARE_TYPES } from '../live.js';
import { Answered } from '../parts/answered.js';
import { Bar } from '../parts/bar.js';
import { Empty, PageHead, Panel, Time } from '../parts/basics.js';
import { addressOf } from '../router.js';
import { may } from '../session.js';
import { numberText, say, sayName } from '../text.js';
import { ACTION_NAMES, STATUS_NAMES } from '../texts/names.js';
import { useAnswer, useLive } from '../use-answer.js';
import { FleetCharts } from './fleet-charts.js';
import { FleetNeeds } from './fleet-needs.js';

type Status = ReplyBody<'query.status'>;

/** Grants and returns are not followed one by one: their sum is asked for this often. */
const COUNT_SECONDS = 2;
/** The capacity of the whole fleet takes longer to count, and changes little in a minute. */
const CAPACITY_SECONDS = 60;

/** Everything at a glance, and what needs a person now. */
export function FleetPage() {
  const status = useAnswer('query.status', {}, { everySeconds: COUNT_SECONDS });
  useLive({ types: RARE_TYPES }, status.refresh);
  return (
    <>
      <PageHead title={say('nav.fleet')} />
      <Answered answer={status}>
        {(value) => (
          <>
            <Numbers status={value} />
            <div class="panels">
              <FleetNeeds status={value} />
              <ByStatus status={value} />
              <ByService status={value} />
              {may('query.accounts') && <Capacity />}
              <Dependencies status={value} />
            </div>
          </>
        )}
      </Answered>
      {may('query.series') && <FleetCharts />}
    </>
  );
}

function Numbers({ status }: { status: Status }) {
  const numbers: [string, number, string | null][] = [
    [say('fleet.total'), status.total_accounts, addressOf('/accounts')],
    [say('fleet.free'), status.available_accounts, addressOf('/accounts', { free: 'yes' })],
    [say('fleet.leased'), status.leased_accounts, addressOf('/leases')],
    [say('fleet.healthy'), status.healthy_accounts, null],
  ];
  return (
    <>
      <dl class="numbers">
        {numbers.map(([label, value, address]) => (
          <div key={label}>
            <dt>{address === null ? label : <a href={address}>{label}</a>}</dt>
            <dd>{numberText(value)}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">
        {say('fleet.as-of')} <Time at={status.generated_at} exact />
      </p>
    </>
  );
}

/** Names with numbers, each as a part of the whole. */
function Bars({
  rows,
  whole,
}: {
  rows: readonly [label: string, value: number, address: string | null][];
  whole: number;
}) {
  return (
    <dl class="bars">
      {rows.map(([label, value, address]) => (
        <div key={label}>
          <dt>{address === null ? label : <a href={address}>{label}</a>}</dt>
          <dd>
            <Bar value={value} whole={whole} label={label} />
          </dd>
          <dd>{numberText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function ByStatus({ status }: { status: Status }) {
  return (
    <Panel title={say('fleet.status')}>
      <Bars
        whole={status.total_accounts}
        rows={STATUS_NAMES.map((name) => [
          sayName('status', name),
          status.status_breakdown[name],
          addressOf('/accounts', { status: name }),
        ])}
      />
    </Panel>
  );
}

function ByService({ status }: { status: Status }) {
  const services = Object.entries(status.leases_by_service).sort(([, one], [, other]) => other - one);
  return (
    <Panel title={say('fleet.services')}>
      {services.length === 0 ? (
        <Empty>{say('fleet.services.none')}</Empty>
      ) : (
        <Bars
          whole={status.leased_accounts}
          rows={services
            .slice(0, 12)
            .map(([name, count]) => [name, count, addressOf('/leases', { service_name: name })])}
        />
      )}
    </Panel>
  );
}

function Capacity() {
  const answer = useAnswer('query.accounts', { limit: 1 }, { everySeconds: CAPACITY_SECONDS });
  return (
    <Panel title={say('fleet.capacity')}>
      <Answered answer={answer}>
        {({ aggregates: { capacity_today: capacity } }) => (
          <dl class="figures">
            {ACTION_NAMES.map((action) => (
              <div key={action}>
                <dt>{sayName('action', action)}</dt>
                <dd>{capacity[action] === null ? say('fleet.unlimited') : numberText(capacity[action])}</dd>
              </div>
            ))}
          </dl>
        )}
      </Answered>
    </Panel>
  );
}

function Dependencies({ status }: { status: Status }) {
  return (
    <Panel title={say('fleet.dependencies')}>
      <dl class="figures">
        {Object.entries(status.dependencies).map(([name, { up, latency_ms: latency, detail }]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span class={up ? 'good' : 'bad'}>{say(up ? 'fleet.up' : 'fleet.away')}</span>
              {latency !== null && <span class="quiet">{numberText(latency)} ms</span>}
              {detail !== undefined && <span>{detail}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
