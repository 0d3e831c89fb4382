import { DISABLED_REASONS } from '../../../contracts/fields.js';
import type { Field } from './columns.js';
import { FieldFault, toObject, toText } from './values.js';

type Values = ReadonlyMap<Field, unknown>;
type Usage = Record<string, { today?: number; by_channel?: Record<string, { today: number; total: number }> }>;

/** How an account stood, as `admin.register` takes it over. */
export interface Standing {
  status?: string;
  flood_wait_until?: string;
  blocked_until?: string;
  disabled_reason?: string;
  usage?: Record<string, unknown>;
}

/** The longest lease that the predecessor's callers asked for. */
const LONGEST_LEASE_MS = 120 * 60_000;
const STATUSES: ReadonlySet<string> = new Set(['active', 'flood_wait', 'blocked', 'draining', 'disabled']);

/**
 * How an account stands, never healthier than its source says: what the source leaves open is taken for the worse.
 * A lock becomes a wait until its end, since its holder may still be at work with the account.
 */
export function standingOf(values: Values, now: number): { standing: Standing; notes: string[] } {
  const notes: string[] = [];
  const standing: Standing = {};
  const wait = latest(instantOf(values, 'flood_wait_until'), lockEnd(values, now, notes));
  const block = instantOf(values, 'blocked_until');
  if (wait !== null) standing.flood_wait_until = new Date(wait).toISOString();
  if (block !== null) standing.blocked_until = new Date(block).toISOString();
  const judged = judgeStatus(values, { wait, block }, notes);
  if (judged !== null) Object.assign(standing, judged);
  const usage = usageOf(values, now);
  if (usage !== null) standing.usage = usage;
  return { standing, notes };
}

function judgeStatus(
  values: Values,
  { wait, block }: { wait: number | null; block: number | null },
  notes: string[],
): Pick<Standing, 'status' | 'disabled_reason'> | null {
  const status = toText(values.get('status')).toLowerCase();
  const reason = toText(values.get('disabled_reason')).toLowerCase();
  const disabled = (why: string) => ({ status: 'disabled', disabled_reason: isReason(why) ? why : 'manual' });
  if (isReason(status)) return disabled(status);
  if (status === 'disabled' || isFalse(values.get('is_active'))) return disabled(reason);
  if (status !== '' && !STATUSES.has(status)) {
    notes.push(`status: ${printable(status)} is not known here, so the account is disabled`);
    return disabled('manual');
  }
  if ((status === 'flood_wait' && wait === null) || (status === 'blocked' && block === null)) {
    notes.push(`status: ${status} without its end, so the account is disabled`);
    return disabled('manual');
  }
  return status === '' || status === 'active' ? null : { status };
}

const isReason = (text: string): boolean => (DISABLED_REASONS as readonly string[]).includes(text);
const printable = (text: string): string => JSON.stringify(text.slice(0, 40));

/** When a lock ends that the source has on the account; null: there is none. */
function lockEnd(values: Values, now: number, notes: string[]): number | null {
  const until = instantOf(values, 'locked_until');
  if (!isTrue(values.get('locked')) && (values.has('locked') || until === null)) return null;
  const end = until ?? now + LONGEST_LEASE_MS;
  if (end <= now) return null;
  notes.push(`locked: somebody has the account, so it waits until ${new Date(end).toISOString()}`);
  return end;
}

/** Counters of today, and of channels ever. A count of an earlier day is 0 today. */
function usageOf(values: Values, now: number): Record<string, unknown> | null {
  if (values.has('usage')) return toObject('usage', values.get('usage'));
  const isOfToday = !isBefore(values, startOfDay(now));
  const usage: Usage = {};
  for (const [field, action] of [
    ['used_invites_today', 'invite'],
    ['used_messages_today', 'message'],
    ['contacts_today', 'add_contact'],
  ] as const) {
    const today = isOfToday ? countOf(field, values.get(field)) : 0;
    if (today > 0) usage[action] = { today };
  }
  const channels = Object.entries(toObject('per_channel_invites', values.get('per_channel_invites')));
  if (channels.length > 0) {
    const byChannel = channels.map(([channel, count]) => [channel, countsOf(count, isOfToday)] as const);
    usage['invite'] = { ...usage['invite'], by_channel: Object.fromEntries(byChannel) };
  }
  return Object.keys(usage).length === 0 ? null : usage;
}

/** A number alone counts for both: how much of it is today's is not said. */
function countsOf(count: unknown, isOfToday: boolean): { today: number; total: number } {
  const given =
    typeof count === 'object' && count !== null
      ? (count as { today?: unknown; total?: unknown })
      : { today: count, total: count };
  const today = countOf('per_channel_invites', given.today);
  return { today: isOfToday ? today : 0, total: Math.max(today, countOf('per_channel_invites', given.total)) };
}

/** Whether the counters are certainly of a day before: they were last reset, or the account last used, before it began. */
function isBefore(values: Values, dayBegan: number): boolean {
  const day = instantOf(values, 'counters_day');
  const used = instantOf(values, 'last_used_at');
  return used === null ? false : used < dayBegan && (day === null || day < dayBegan);
}

const startOfDay = (now: number): number => Math.floor(now / 86_400_000) * 86_400_000;
const latest = (...instants: (number | null)[]): number | null =>
  instants.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);
const isTrue = (value: unknown): boolean => value === true || /^(true|t|1|yes)$/i.test(toText(value));
const isFalse = (value: unknown): boolean => value === false || /^(false|f|0|no)$/i.test(toText(value));

function countOf(field: string, value: unknown): number {
  if (value === undefined || value === null || value === '') return 0;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new FieldFault(field, 'must be a whole number, 0 or more');
}

/** Milliseconds. A time without a zone is UTC, as PostgreSQL prints it there. */
function instantOf(values: Values, field: Field): number | null {
  const value = values.get(field);
  if (value === undefined) return null;
  if (value instanceof Date) return value.getTime();
  const text = toText(value);
  const [, day, time = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i.exec(text) ?? [];
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const instant =
    day === undefined ? Number.NaN : Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${offset}`);
  if (!Number.isNaN(instant)) return instant;
  throw new FieldFault(field, 'must be a time such as 2026-01-31T12:00:00Z');
}
