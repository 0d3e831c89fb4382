import type { ReplyBody } from '../../../contracts/operations.js';
import { Empty, Panel } from '../parts/basics.js';
import { addressOf } from '../router.js';
import { may } from '../session.js';
import { say, sayName } from '../text.js';
import { DISABLED_REASON_NAMES } from '../texts/names.js';
import { useAnswer } from '../use-answer.js';

interface Need {
  text: string;
  address: string;
  isWorst: boolean;
}

/** Alerts change seldom, so they are asked for seldom: many consoles stay open all day. */
const ALERT_SECONDS = 30;
const SLOW_SECONDS = 60;

/** List of tasks for a person, the most urgent first. */
export function FleetNeeds({ status }: { status: ReplyBody<'query.status'> }) {
  const every = { everySeconds: SLOW_SECONDS };
  const alerts = useAnswer('query.alerts', may('query.alerts') ? { limit: 20 } : null, { everySeconds: ALERT_SECONDS });
  const jobs = useAnswer('query.jobs', may('query.jobs') ? { runs: 0 } : null, every);
  const parked = useAnswer('admin.parked', may('admin.parked') ? { action: 'list', limit: 1 } : null, every);
  const hasDisabled = status.status_breakdown.disabled > 0 && may('query.accounts');
  const disabled = useAnswer('query.accounts', hasDisabled ? { status: 'disabled', limit: 500 } : null, every);

  const away: Need[] = Object.entries(status.dependencies)
    .filter(([, { up }]) => !up)
    .map(([name, { detail = '' }]) => ({
      text: say('fleet.needs.away', { name, detail }),
      address: addressOf('/alerts'),
      isWorst: true,
    }));
  const overdue: Need[] = (jobs.value?.jobs ?? [])
    .filter((job) => job.overdue)
    .map(({ job }) => ({
      text: say('fleet.needs.job', { job: sayName('job', job) }),
      address: addressOf('/jobs'),
      isWorst: true,
    }));
  const open: Need[] = (alerts.value?.alerts ?? []).map(({ alert, subject, severity }) => ({
    text: [sayName('alert', alert), subject].filter((part) => part !== '').join(' · '),
    address: addressOf('/alerts'),
    isWorst: severity === 'critical',
  }));
  const needs = [
    ...[...away, ...overdue, ...open].sort((one, other) => Number(other.isWorst) - Number(one.isWorst)),
    ...byReason(disabled.value?.accounts ?? []),
    ...(parked.value && parked.value.total > 0
      ? [{ text: say('fleet.needs.parked', { n: parked.value.total }), address: addressOf('/parked'), isWorst: false }]
      : []),
  ];
  return (
    <Panel title={say('fleet.needs')}>
      {needs.length === 0 ? (
        <Empty>{say('fleet.needs.none')}</Empty>
      ) : (
        <ul class="needs">
          {needs.map(({ text, address, isWorst }) => (
            <li key={text} class={isWorst ? 'worst' : undefined}>
              <a href={address}>{text}</a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Disabled accounts by their reason; those that lack a session first, since a person can help them. */
function byReason(accounts: ReplyBody<'query.accounts'>['accounts']): Need[] {
  const reasons = ['needs_reauth', ...DISABLED_REASON_NAMES.filter((reason) => reason !== 'needs_reauth')] as const;
  return reasons.flatMap((reason) => {
    const n = accounts.filter(({ disabled_reason: given }) => given === reason).length;
    if (n === 0) return [];
    return [
      {
        text: say('fleet.needs.disabled', { n, reason: sayName('disabled', reason) }),
        address: addressOf('/accounts', { status: 'disabled', disabled_reason: reason }),
        isWorst: false,
      },
    ];
  });
}
