import type { ReplyBody } from '../../../contracts/operations.js';
import { type Finding, findingsOf, judgeClock, judgeParked } from './finding.js';

/** Facts that the service tells about itself over HTTP. */
export interface ServiceFacts {
  url: string;
  /** As `/health/ready` has it; null: that is no answer of an account manager. */
  readiness: { ready: boolean; checks: Readonly<Record<string, { ok: boolean; detail?: string }>> } | null;
  /** To the second; null: the answer has no date. */
  clockSkewMs: number | null;
  /** A text says why it was not told. */
  status: ReplyBody<'query.status'> | string;
  jobs: ReplyBody<'query.jobs'>['jobs'] | string;
  alerts: ReplyBody<'query.alerts'>['alerts'] | string;
  /** How many messages are parked; null: the broker itself was asked. */
  parked: number | string | null;
}

const { ok, warn, fail } = findingsOf('service');

/** A response names whole seconds. */
const SECOND_MS = 1_000;

/** Findings from the facts that the service told. */
export const judgeService = (facts: ServiceFacts): Finding[] => {
  if (facts.readiness === null) {
    return [fail('answers', `${facts.url} is no account manager`, 'give its address with --url')];
  }
  return [
    ok('answers', facts.url),
    ...judgeReadiness(facts.readiness),
    ...(facts.clockSkewMs === null ? [] : [judgeClock('service', withoutRounding(facts.clockSkewMs))]),
    judgeIdentity(facts.status),
    judgeJobs(facts.jobs),
    judgeAlerts(facts.alerts),
    ...(facts.parked === null
      ? []
      : [
          typeof facts.parked === 'string'
            ? notTold('parked messages', facts.parked)
            : judgeParked('service', facts.parked),
        ]),
  ];
};

const withoutRounding = (skewMs: number): number => Math.sign(skewMs) * Math.max(0, Math.abs(skewMs) - SECOND_MS);

const CURES: Readonly<Record<string, string>> = {
  database: 'see that PostgreSQL runs and DATABASE_URL of the service names it',
  broker: 'see that RabbitMQ runs, takes publications, and RABBITMQ_URL of the service names it',
  consumers: 'look at its log; it subscribes anew by itself once the broker lets it',
  topology: 'look at its log for what differs at the broker',
  outbox: 'see that RabbitMQ takes publications, and that no queue of a subscriber is full',
};

const judgeReadiness = ({ checks }: NonNullable<ServiceFacts['readiness']>): Finding[] =>
  Object.entries(checks).map(([name, { ok: isOk, detail }]) =>
    isOk
      ? ok(name, detail ?? 'as it should be')
      : fail(name, detail ?? 'not as it should be', CURES[name] ?? 'look at its log'),
  );

const notTold = (check: string, why: string): Finding =>
  warn(check, `not told: ${why}`, 'use the token of an operator for all users');

function judgeIdentity(status: ServiceFacts['status']): Finding {
  if (typeof status === 'string') return notTold('identity', status);
  if (status.identity === 'on') return ok('identity', 'callers are known');
  const cure = 'set ACCESS_FILE (docs/operating.md, "Who may do what")';
  return status.network_is_trusted
    ? warn('identity', 'off, and HTTP listens on every address: whoever reaches it may do everything', cure)
    : warn('identity', 'off: whoever reaches the service may do everything', cure);
}

function judgeJobs(jobs: ServiceFacts['jobs']): Finding {
  const check = 'jobs';
  if (typeof jobs === 'string') return notTold(check, jobs);
  const overdue = jobs.filter(({ overdue: is }) => is).map(({ job }) => job);
  if (overdue.length > 0) {
    const cure = 'see that an instance runs with JOBS_ENABLED=true; then `account-manager jobs run JOB`';
    return fail(check, `overdue: ${overdue.join(', ')}`, cure);
  }
  const failing = jobs.filter(({ runs: [last] }) => last?.state === 'failed').map(({ job }) => job);
  return failing.length > 0
    ? warn(check, `the last run failed: ${failing.join(', ')}`, 'see why with `account-manager jobs list JOB`')
    : ok(check, 'none is overdue');
}

function judgeAlerts(alerts: ServiceFacts['alerts']): Finding {
  const check = 'alerts';
  if (typeof alerts === 'string') return notTold(check, alerts);
  const serious = alerts.filter(({ severity }) => severity !== 'info').map(({ alert }) => alert);
  return serious.length > 0
    ? warn(check, `open: ${[...new Set(serious)].join(', ')}`, 'see `account-manager alerts`')
    : ok(check, 'none is open');
}
