import type { PlotData } from './plot.js';

export interface NamedSeries {
  label: string;
  /** The name of a custom property of the stylesheet. */
  colour: string;
  points: readonly (readonly [instant: string, value: number])[];
}

/** Series over the instants of all of them; where one has no point, nothing was measured. */
export function alignSeries(named: readonly NamedSeries[], isStacked: boolean): PlotData {
  const instants = [...new Set(named.flatMap(({ points }) => points.map(([instant]) => Date.parse(instant) / 1000)))];
  instants.sort((one, other) => one - other);
  const series = named.map(({ label, colour, points }) => {
    const values = new Map(points.map(([instant, value]) => [Date.parse(instant) / 1000, value]));
    return { label, colour, values: instants.map((instant) => values.get(instant) ?? null) };
  });
  return { instants, series, isStacked };
}
