/** Axis that the spans of one list share. Instants in milliseconds. */
export interface Axis {
  from: number;
  to: number;
}

/** Where an instant stands on the axis, as a share of its width. */
const placeOn = ({ from, to }: Axis, at: number): number =>
  to <= from ? 0 : Math.min(1, Math.max(0, (at - from) / (to - from)));

/** A length of time on an axis that it shares with others, and where now is. */
export function Span({
  axis,
  from,
  to,
  now,
  title,
}: {
  axis: Axis;
  from: number;
  to: number;
  now: number;
  title: string;
}) {
  const [start, end] = [placeOn(axis, from), placeOn(axis, to)];
  return (
    <span class="span" role="img" aria-label={title} title={title}>
      <span class="length" style={{ left: `${start * 100}%`, width: `${(end - start) * 100}%` }} />
      <span class="now" style={{ left: `${placeOn(axis, now) * 100}%` }} />
    </span>
  );
}
