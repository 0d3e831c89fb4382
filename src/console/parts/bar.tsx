/** A part of a whole as a bar. */
export function Bar({
  value,
  whole,
  label,
  level = 'low',
}: {
  value: number;
  whole: number;
  label: string;
  level?: 'low' | 'high' | 'full';
}) {
  const part = whole <= 0 ? 0 : Math.min(1, Math.max(0, value / whole));
  return (
    <span
      class={`bar level-${level}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(whole, 0)}
      aria-valuenow={Math.min(Math.max(value, 0), Math.max(whole, 0))}
    >
      <span style={{ width: `${part * 100}%` }} />
    </span>
  );
}
