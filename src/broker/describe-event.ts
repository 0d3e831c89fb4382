import type { EventType } from '../../contracts/events.js';
import { toIso } from '../clock.js';
import type { EventRow } from '../store/history/event-row.js';

type Told = Pick<EventRow, 'type' | 'accountId' | 'data'>;

/** The end of a wait; null where only an operator ends it. */
const until = ({ data }: Told): string => (typeof data.recovery_at === 'string' ? ` until ${data.recovery_at}` : '');
const because = ({ data }: Told): string => {
  const { disabled_reason: own, reason, telegram_error: telegram, error_class: errorClass } = data;
  const cause = [own, reason, telegram, errorClass].find((one) => typeof one === 'string');
  return cause === undefined ? '' : `: ${cause}`;
};
const serviceOf = ({ data }: Told): string => String(data.service_name);
const alert = ({ type, data }: Told): string => {
  const subject = typeof data.subject === 'string' ? ` of ${data.subject}` : '';
  return `alert ${String(data.alert)}${subject} is ${data.state === 'resolved' ? 'resolved' : 'raised'} (${type.slice('alert.'.length)})`;
};

/** Sentences for the log. Events that only carry out what a caller asked for are left out. */
const SENTENCES: Partial<Record<EventType, (event: Told) => string | null>> = {
  'account.lease_expired': (event) =>
    `the lease of account ${event.accountId ?? ''} expired: ${serviceOf(event)} did not release it`,
  'account.released': (event) => {
    if (event.data.superseded === true)
      return `${serviceOf(event)} took account ${event.accountId ?? ''} over under a new lease; the one before has ended`;
    if (event.data.forced === true)
      return `account ${event.accountId ?? ''} was taken from ${serviceOf(event)} by an operator${because(event)}`;
    return null;
  },
  'account.flood_wait': (event) =>
    `account ${event.accountId ?? ''} is in a flood wait${until(event)}${because(event)}`,
  'account.blocked': (event) => `account ${event.accountId ?? ''} is blocked${until(event)}${because(event)}`,
  'account.disabled': (event) => `account ${event.accountId ?? ''} is disabled${because(event)}`,
  'account.recovered': (event) =>
    `account ${event.accountId ?? ''} is active again after ${String(event.data.previous_status)}`,
  'alert.info': alert,
  'alert.warning': alert,
  'alert.critical': alert,
};

/** One sentence for the log; null where the event is no news to an operator. */
export const describeEvent = (event: Told): string | null => SENTENCES[event.type]?.(event) ?? null;

/** Fields of the log line beside the sentence, for programs. */
export const eventFields = ({ type, accountId, userId, occurredAt, data }: EventRow): Record<string, unknown> => ({
  event: type,
  at: toIso(occurredAt),
  ...(accountId !== null && { account_id: accountId }),
  ...(userId !== null && { user_id: userId }),
  ...(type.startsWith('alert.') && { alert: data }),
});
