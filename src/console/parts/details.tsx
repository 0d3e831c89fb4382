import { Time } from './basics.js';

const TOLD_ELSEWHERE = new Set(['account_id', 'sequence', 'request_id', 'lease_id', 'fence']);

/** Fields of an event or a history entry, beside its type. */
export function Details({ data }: { data: Record<string, unknown> }) {
  const parts = Object.entries(data).filter(
    ([name, value]) => value !== null && value !== undefined && !TOLD_ELSEWHERE.has(name),
  );
  return (
    <span class="details">
      {parts.map(([name, value]) => (
        <span key={name}>
          <span class="quiet">{name.replaceAll('_', ' ')}</span> <Value value={value} />{' '}
        </span>
      ))}
    </span>
  );
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function Value({ value }: { value: unknown }) {
  if (typeof value === 'string') return INSTANT.test(value) ? <Time at={value} exact /> : <>{value}</>;
  return <>{JSON.stringify(value)}</>;
}
