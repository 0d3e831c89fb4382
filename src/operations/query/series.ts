import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import { SERIES, seriesNamed } from '../../../contracts/series.js';
import { fromIso, toIso } from '../../clock.js';
import {
  HOURS_KEPT_MS,
  mergeSamples,
  MINUTES_KEPT_MS,
  pointsOf,
  type Sample,
  usualStep,
} from '../../decide/series/samples.js';
import { HOUR_MS, MINUTE_MS } from '../../decide/time-units.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { refuseInvalid } from '../../requests/refuse.js';
import { loadClock, loadSamples } from '../../store/history/series.js';

type Answer = Outcome<'query.series'>['reply'];

const USUAL_LENGTH_MS = 6 * HOUR_MS;
/** Some 4 MB of reply. */
const MAX_POINTS = 100_000;

/** `query.series`: how the fleet developed. */
export const series: OperationHandler<'query.series'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.series'>[] = [];
    for (const request of requests) outcomes.push({ reply: await answer(context, request) });
    return outcomes;
  },
};

async function answer(
  { sql, access }: BatchContext,
  { body, caller }: AcceptedRequest<'query.series'>,
): Promise<Answer> {
  const now = await loadClock(sql);
  const to = Math.min(body.to === undefined ? now : fromIso(body.to), now);
  const from = Math.max(body.from === undefined ? to - USUAL_LENGTH_MS : fromIso(body.from), now - HOURS_KEPT_MS);
  const isReversed = body.from !== undefined && fromIso(body.from) >= (body.to === undefined ? now : fromIso(body.to));
  if (isReversed) return refuseInvalid([{ path: 'from', message: 'must lie before to, and before now' }]);
  const stepSeconds = body.step_seconds ?? usualStep(to - from);
  const names = namesIn(body);
  const samples =
    access.usersOf(caller) === '*' ? await loadSteps(sql, { from, to, now, names, stepMs: stepSeconds * 1000 }) : [];
  const named = names ?? [...SERIES.keys()].filter((name) => samples.some(({ values }) => values[name] !== undefined));
  if (named.length * samples.length > MAX_POINTS) {
    const message = `gives ${named.length * samples.length} points, and at most ${MAX_POINTS} are told: ask for fewer series, less time or a longer step`;
    return refuseInvalid([{ path: 'step_seconds', message }]);
  }
  return {
    success: true,
    step_seconds: stepSeconds,
    series: access.usersOf(caller) === '*' ? tell(named, samples) : [],
  };
}

const namesIn = ({ names }: RequestBody<'query.series'>): string[] | null =>
  names === undefined ? null : [...new Set(names.flatMap(seriesNamed))];

const tell = (names: readonly string[], samples: readonly Sample[]): ReplyBody<'query.series'>['series'] =>
  names.map((name) => ({
    name,
    points: pointsOf(name, samples).map(([at, value]): [string, number] => [toIso(at), value]),
  }));

interface Wanted {
  from: number;
  to: number;
  now: number;
  names: readonly string[] | null;
  stepMs: number;
}

/** Samples of hours where those of minutes are gone, or where a step is as long as an hour and the hour is over. */
async function loadSteps(sql: BatchContext['sql'], { from, to, now, names, stepMs }: Wanted): Promise<Sample[]> {
  const begin = Math.floor(from / stepMs) * stepMs;
  const hours = await loadSamples(sql, HOUR_MS, { from: begin, to, names });
  const lastHour = hours.at(-1);
  const kept = Math.ceil((now - MINUTES_KEPT_MS) / HOUR_MS) * HOUR_MS;
  const endOfHours = stepMs % HOUR_MS === 0 && lastHour !== undefined ? lastHour.at + HOUR_MS : kept;
  const minutes = await loadSamples(sql, MINUTE_MS, { from: Math.max(begin, endOfHours), to, names });
  return mergeSamples([...hours.filter(({ at }) => at < endOfHours), ...minutes], stepMs);
}
