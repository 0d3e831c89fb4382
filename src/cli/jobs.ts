import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Argument, type Command } from 'commander';
import { JOB_NAMES } from '../../contracts/jobs.js';
import type { ReplyBody } from '../../contracts/operations.js';
import type { Tie } from './command.js';
import type { Context } from './context.js';
import { CommandError, EXIT } from './exit.js';
import { toWhole } from './options.js';
import { printEntries, printFacts, printOne } from './output.js';
import type { Paint } from './terminal/paint.js';
import { type TextColumn, toTable } from './terminal/print.js';
import { tellLength, tellWhen } from './terminal/words.js';

type Job = ReplyBody<'query.jobs'>['jobs'][number];
type Run = Job['runs'][number];

export function defineJobs(program: Command, tie: Tie): void {
  const noun = program.command('jobs').description('the background jobs');
  const list = noun
    .command('list', { isDefault: true })
    .description('when each is due, and how its latest runs ended')
    .addArgument(new Argument('[job]', 'only this one, with its runs').choices(JOB_NAMES))
    .option('--runs <n>', 'tell so many runs of each', toWhole, 5);
  tie(list, listJobs);
  const run = noun
    .command('run')
    .description('run a job now, and wait for its end')
    .addArgument(new Argument('<job>', 'which').choices(JOB_NAMES))
    .option('--dry-run', 'say how the job stands, and run nothing');
  tie(run, runJob);
}

async function listJobs(context: Context, { runs }: { runs: number }, job?: string): Promise<undefined> {
  const reply = await context.client.ask('query.jobs', { job, runs });
  const [only] = reply.jobs;
  if (context.format === 'table' && job !== undefined && only !== undefined) {
    printOne(context, only, () => toTable(only.runs, runColumns(context.now(), context.paint), context.paint));
    return;
  }
  printEntries(context, reply.jobs, jobColumns(context.now(), context.paint));
}

const jobColumns = (now: number, paint: Paint): TextColumn<Job>[] => [
  ['JOB', ({ job }) => job],
  ['NEXT RUN', ({ next_run_at: at, overdue }) => (overdue ? paint('bad', 'overdue') : tellWhen(at, now))],
  ['LAST RUN', ({ runs: [last] }) => tellWhen(last?.finished_at ?? last?.started_at, now)],
  ['ENDED', ({ runs: [last] }) => (last === undefined ? '' : tellState(last, paint))],
  ['DID', ({ runs: [last] }) => (last === undefined ? '' : tellCounts(last.counts))],
  ['CADENCE', ({ cadence }) => cadence],
];

const runColumns = (now: number, paint: Paint): TextColumn<Run>[] => [
  ['DUE', ({ scheduled_for: at }) => tellWhen(at, now)],
  ['STATE', (run) => tellState(run, paint)],
  ['ATTEMPT', ({ attempt }) => String(attempt)],
  ['TOOK', ({ started_at: from, finished_at: to }) => tellTaken(from, to)],
  ['INSTANCE', ({ instance }) => instance],
  ['DID', ({ counts }) => tellCounts(counts)],
  ['FAILURE', ({ failure }) => failure ?? ''],
];

const tellTaken = (from: string | null, to: string | null): string =>
  from === null || to === null ? '' : tellLength(Date.parse(to) - Date.parse(from));

const tellState = ({ state }: Pick<Run, 'state'>, paint: Paint): string =>
  paint(state === 'done' ? 'good' : state === 'failed' || state === 'interrupted' ? 'bad' : 'faint', state);

const tellCounts = (counts: Run['counts']): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** The service answers after a minute at most; a longer run is asked for again under the same message id. */
const ASK_AGAIN_MS = 1_000;

async function runJob(context: Context, { dryRun = false }: { dryRun?: boolean }, job: string): Promise<undefined> {
  const { client, now, signal, progress, say } = context;
  if (dryRun) {
    await listJobs(context, { runs: 5 }, job);
    say(`A dry run: ${job} was not run.`);
    return;
  }
  const messageId = randomUUID();
  const startedAt = now();
  let run: ReplyBody<'admin.run-job'>;
  for (;;) {
    progress(`${job} has run for ${tellLength(now() - startedAt)} …`);
    run = await client.ask('admin.run-job', { job }, messageId);
    if (run.state !== 'waiting' && run.state !== 'running') break;
    await pause(ASK_AGAIN_MS, null, { signal });
  }
  progress(null);
  printFacts(context, run, [
    ['job', run.job],
    ['state', tellState(run, context.paint)],
    ['took', tellTaken(run.started_at, run.finished_at)],
    ...Object.entries(run.counts).map(([name, count]): [string, string] => [name, String(count)]),
  ]);
  if (run.state !== 'done') throw new CommandError(EXIT.refused, `${job} ended as ${run.state}: ${run.failure ?? '–'}`);
}
