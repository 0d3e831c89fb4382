import uPlot from 'uplot';

export interface PlotSeries {
  label: string;
  /** The name of a custom property of the stylesheet. */
  colour: string;
  /** One for each instant; null: not measured. */
  values: readonly (number | null)[];
}

export interface PlotData {
  /** Seconds since 1970. */
  instants: readonly number[];
  series: readonly PlotSeries[];
  /** Stacked areas, the first at the bottom; else lines. */
  isStacked: boolean;
}

/** Draws a chart that fills an element and follows its size, the colours of the scheme and the pointer; returns its end. */
export function drawPlot(
  element: HTMLElement,
  data: PlotData,
  { language, onPoint }: { language: string; onPoint: (index: number | null) => void },
): () => void {
  const plot = new uPlot(optionsFor(element, data, language, onPoint), toLines(data), element);
  const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: element.clientHeight }));
  observer.observe(element);
  return () => {
    observer.disconnect();
    plot.destroy();
  };
}

/** Stacked series become sums, drawn from the whole to the first, each over the one before. */
function toLines({ instants, series, isStacked }: PlotData): uPlot.AlignedData {
  if (!isStacked) return [[...instants], ...series.map(({ values }) => [...values])];
  const sums = series.map((_, upTo) =>
    instants.map((_, at) => series.slice(0, upTo + 1).reduce((sum, { values }) => sum + (values[at] ?? 0), 0)),
  );
  return [[...instants], ...sums.toReversed()];
}

function optionsFor(
  element: HTMLElement,
  { series, isStacked }: PlotData,
  language: string,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colourOf = (name: string): string => style.getPropertyValue(name).trim();
  const drawn = isStacked ? series.toReversed() : series;
  const axis: uPlot.Axis = {
    stroke: colourOf('--quiet'),
    grid: { stroke: colourOf('--line'), width: 1 },
    ticks: { stroke: colourOf('--line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hour12: false });
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' });
  const nameTick = (seconds: number): string => {
    const at = new Date(seconds * 1000);
    return at.getHours() === 0 && at.getMinutes() === 0 ? day.format(at) : clock.format(at);
  };
  const short = new Intl.NumberFormat(language, { notation: 'compact' });
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(nameTick), space: 60 },
      { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => short.format(tick)) },
    ],
    series: [
      {},
      ...drawn.map(
        ({ label, colour }): uPlot.Series => ({
          label,
          stroke: colourOf(colour),
          fill: isStacked ? colourOf(colour) : undefined,
          width: isStacked ? 0 : 1.5,
          points: { show: false },
        }),
      ),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}
