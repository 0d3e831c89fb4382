import { useSignal } from '@preact/signals';
import type { ReplyBody } from '../../../contracts/operations.js';
import type { JobName } from '../../../contracts/jobs.js';
import { ask } from '../api.js';
import { RARE_TYPES } from '../live.js';
import { type Act, ActDialog } from '../parts/act.js';
import { Answered } from '../parts/answered.js';
import { Distance, Empty, PageHead, Panel, Time } from '../parts/basics.js';
import { Table } from '../parts/table.js';
import { may } from '../session.js';
import { numberText, say, sayName } from '../text.js';
import { lengthText } from '../time.js';
import { useAnswer, useLive } from '../use-answer.js';

type Job = ReplyBody<'query.jobs'>['jobs'][number];
type Run = Job['runs'][number];

/** The background jobs: when each is due and how it went. */
export function JobsPage() {
  const answer = useAnswer('query.jobs', { runs: 5 }, { everySeconds: 15 });
  useLive({ types: RARE_TYPES }, answer.refresh);
  const chosen = useSignal<JobName | null>(null);
  return (
    <>
      <PageHead title={say('nav.jobs')} hint={say('jobs.hint')} />
      <Answered answer={answer}>
        {({ jobs }) =>
          jobs.length === 0 ? (
            <Empty>{say('jobs.none')}</Empty>
          ) : (
            <div class="panels">
              {jobs.map((job) => (
                <JobPanel key={job.job} job={job} runNow={() => (chosen.value = job.job)} />
              ))}
            </div>
          )
        }
      </Answered>
      {chosen.value && (
        <ActDialog act={runAct(chosen.value)} close={() => (chosen.value = null)} done={answer.refresh} />
      )}
    </>
  );
}

function JobPanel({ job, runNow }: { job: Job; runNow: () => void }) {
  return (
    <Panel
      title={sayName('job', job.job)}
      aside={
        may('admin.run-job') && (
          <button type="button" aria-label={`${say('act.run')}: ${sayName('job', job.job)}`} onClick={runNow}>
            {say('act.run')}
          </button>
        )
      }
    >
      <p>
        {job.overdue && <strong class="bad">{say('jobs.overdue')} </strong>}
        {say('jobs.next')} <Distance at={job.next_run_at} />{' '}
        <span class="quiet">
          · <code title={say('jobs.cadence')}>{job.cadence}</code> UTC
        </span>
      </p>
      {job.runs.length === 0 ? (
        <Empty>{say('jobs.no-runs')}</Empty>
      ) : (
        <Table
          name={sayName('job', job.job)}
          rows={job.runs}
          keyOf={({ scheduled_for: at }) => at}
          columns={[
            { label: say('jobs.due'), show: ({ scheduled_for: at }) => <Time at={at} exact /> },
            { label: say('jobs.state'), show: (run) => <RunState run={run} /> },
            { label: say('jobs.took'), show: (run) => tookText(run), isNumber: true },
            { label: say('jobs.counts'), show: ({ counts }) => countsText(counts) },
          ]}
        />
      )}
    </Panel>
  );
}

function RunState({ run: { state, failure, instance } }: { run: Run }) {
  const isBad = state === 'failed' || state === 'interrupted';
  return (
    <span class={isBad ? 'bad' : undefined} title={instance}>
      {sayName('run', state)}
      {failure !== null && <span class="reason"> {failure}</span>}
    </span>
  );
}

const tookText = ({ started_at: from, finished_at: to }: Run): string => {
  if (from === null || to === null) return '–';
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 1000 ? `${numberText(ms)} ms` : lengthText(ms);
};

const countsText = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name.replaceAll('_', ' ')} ${numberText(count)}`)
    .join(', ') || '–';

const runAct = (job: JobName): Act => ({
  title: say('act.run'),
  explains: say('act.run.explain', { job: sayName('job', job) }),
  fields: [],
  reason: null,
  run: async () => {
    const { state, counts, failure } = await ask('admin.run-job', { job });
    return say('outcome.run', { state: sayName('run', state), counts: failure ?? countsText(counts) });
  },
});
