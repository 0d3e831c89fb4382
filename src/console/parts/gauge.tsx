import { numberText, say } from '../text.js';
import { Bar } from './bar.js';

/** How much of a limit is used, as a bar and in figures. `limit` null: there is none. */
export function Gauge({ used, limit, label }: { used: number; limit: number | null; label: string }) {
  if (limit === null) {
    return (
      <span class="gauge">
        {numberText(used)} <span class="quiet">{say('gauge.no-limit')}</span>
      </span>
    );
  }
  const level = used >= limit ? 'full' : used >= limit * 0.8 ? 'high' : 'low';
  return (
    <span class="gauge">
      <Bar value={used} whole={limit} label={label} level={level} />
      <span>
        {numberText(used)}/{numberText(limit)}
      </span>
    </span>
  );
}
