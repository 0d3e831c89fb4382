import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { language, numberText, say } from '../text.js';
import { clockText } from '../time.js';
import { now } from '../clock.js';
import { Empty } from './basics.js';
import type { PlotData } from './plot.js';

const DARK = matchMedia('(prefers-color-scheme: dark)');

/** A time series with its present figures, or those under the pointer, beside the names. */
export function Chart({ title, data }: { title: string; data: PlotData }) {
  const element = useRef<HTMLDivElement>(null);
  const pointed = useSignal<number | null>(null);
  const isDark = useSignal(DARK.matches);
  useEffect(() => {
    const onChange = (): void => void (isDark.value = DARK.matches);
    DARK.addEventListener('change', onChange);
    return () => DARK.removeEventListener('change', onChange);
  }, []);
  useEffect(() => {
    let end: (() => void) | null = null;
    let isLeft = false;
    // Loaded after the figures: nobody waits for it.
    void import('./plot.js').then(({ drawPlot }) => {
      if (isLeft || element.current === null) return;
      end = drawPlot(element.current, data, {
        language: language.value,
        onPoint: (index) => (pointed.value = index),
      });
    });
    return () => {
      isLeft = true;
      end?.();
    };
  }, [data, language.value, isDark.value]);
  if (data.instants.length === 0) return <Empty>{say('fleet.chart.none')}</Empty>;
  const at = pointed.value ?? data.instants.length - 1;
  const instant = data.instants[at];
  return (
    <figure class="chart">
      <div ref={element} role="img" aria-label={title} />
      <figcaption>
        <ul class="legend">
          {data.series.map(({ label, colour, values }) => (
            <li key={label}>
              <svg width="10" height="10" aria-hidden="true">
                <rect width="10" height="10" rx="2" fill={`var(${colour})`} />
              </svg>
              {label} <strong>{figureText(values[at])}</strong>
            </li>
          ))}
          <li class="quiet">
            {pointed.value === null || instant === undefined
              ? say('fleet.chart.now')
              : clockText(instant * 1000, now.peek())}
          </li>
        </ul>
      </figcaption>
    </figure>
  );
}

const figureText = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : numberText(value);
