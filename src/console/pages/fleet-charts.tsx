import { useMemo } from 'preact/hooks';
import type { ReplyBody } from '../../../contracts/operations.js';
import { now } from '../clock.js';
import { Answered } from '../parts/answered.js';
import { Panel } from '../parts/basics.js';
import { Chart } from '../parts/chart.js';
import { alignSeries, type NamedSeries } from '../parts/align-series.js';
import { say, sayName } from '../text.js';
import { STATUS_NAMES } from '../texts/names.js';
import { useAnswer } from '../use-answer.js';

const SHOWN_MS = 48 * 3_600_000;
const SAMPLE_SECONDS = 60;
const STATUS_COLOURS = ['--series-1', '--series-2', '--series-3', '--series-7', '--series-5'];
const COLOURS = [1, 2, 3, 4, 6, 7, 8, 5].map((number) => `--series-${number}`);
const GROUPS = ['account', 'action', 'query', 'admin'];

type Series = ReplyBody<'query.series'>['series'];

/** The last 48 hours of the fleet. */
export function FleetCharts() {
  const from = useMemo(() => new Date(now.peek() - SHOWN_MS).toISOString(), []);
  const names = ['accounts', 'leases', 'refusals', 'errors', 'requests'];
  const answer = useAnswer('query.series', { names, from }, { everySeconds: SAMPLE_SECONDS });
  return (
    <Answered answer={answer}>{({ series, step_seconds: step }) => <Charts series={series} step={step} />}</Answered>
  );
}

function Charts({ series, step }: { series: Series; step: number }) {
  const charts = useMemo(() => drawn(series, step), [series, step]);
  return (
    <div class="panels charts">
      {charts.map(({ title, named, isStacked }) => (
        <Panel key={title} title={title}>
          <AlignedChart title={title} named={named} isStacked={isStacked} />
        </Panel>
      ))}
    </div>
  );
}

function AlignedChart({
  title,
  named,
  isStacked,
}: {
  title: string;
  named: readonly NamedSeries[];
  isStacked: boolean;
}) {
  const data = useMemo(() => alignSeries(named, isStacked), [named, isStacked]);
  return <Chart title={title} data={data} />;
}

interface Drawn {
  title: string;
  named: NamedSeries[];
  isStacked: boolean;
}

function drawn(series: Series, step: number): Drawn[] {
  const find = (name: string) => series.find((one) => one.name === name)?.points ?? [];
  const perSecond = (points: Series[number]['points']) =>
    points.map(([at, value]): [string, number] => [at, value / step]);
  return [
    {
      title: say('fleet.chart.accounts'),
      isStacked: true,
      named: STATUS_NAMES.map((name, at) => ({
        label: sayName('status', name),
        colour: STATUS_COLOURS[at] ?? '--quiet',
        points: find(`accounts.${name}`),
      })),
    },
    {
      title: say('fleet.chart.leases'),
      isStacked: false,
      named: [{ label: say('nav.leases'), colour: '--series-4', points: find('leases.open') }],
    },
    {
      title: say('fleet.chart.requests'),
      isStacked: true,
      named: GROUPS.map((group, at) => ({
        label: group,
        colour: COLOURS[at] ?? '--quiet',
        points: perSecond(find(`requests.${group}`)),
      })),
    },
    {
      title: say('fleet.chart.latency'),
      isStacked: false,
      named: GROUPS.map((group, at) => ({
        label: group,
        colour: COLOURS[at] ?? '--quiet',
        points: find(`requests.${group}.p99_ms`),
      })),
    },
    { title: say('fleet.chart.refusals'), isStacked: true, named: largest(series, 'refusals', (code) => code) },
    {
      title: say('fleet.chart.errors'),
      isStacked: true,
      named: largest(series, 'errors', (kind) => sayName('class', kind)),
    },
  ];
}

/** The series of a group in which anything has happened, those with the most first. */
function largest(series: Series, group: string, label: (name: string) => string): NamedSeries[] {
  const sumOf = ({ points }: Series[number]): number => points.reduce((sum, [, value]) => sum + value, 0);
  return series
    .filter((one) => one.name.startsWith(`${group}.`) && sumOf(one) > 0)
    .sort((one, other) => sumOf(other) - sumOf(one))
    .slice(0, COLOURS.length)
    .map(({ name, points }, at) => ({
      label: label(name.slice(group.length + 1)),
      colour: COLOURS[at] ?? '--quiet',
      points,
    }));
}
