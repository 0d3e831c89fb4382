import type { EventType } from '../../../contracts/events.js';
import type { HistoryType } from '../../../contracts/history.js';
import type { Text } from './text.js';

const EVENTS = {
  'event.account.registered': ['registered', 'зарегистрирован'],
  'event.account.allocated': ['leased', 'взят в аренду'],
  'event.account.renewed': ['lease renewed', 'аренда продлена'],
  'event.account.released': ['given back', 'возвращён'],
  'event.account.lease_expired': ['lease ran out', 'аренда истекла'],
  'event.account.flood_wait': ['flood wait began', 'началось флуд-ожидание'],
  'event.account.blocked': ['blocked', 'заблокирован'],
  'event.account.disabled': ['disabled', 'отключён'],
  'event.account.draining': ['draining', 'выводится'],
  'event.account.recovered': ['recovered', 'восстановлен'],
  'event.account.reauthorized': ['new session', 'новая сессия'],
  'event.limit.exceeded': ['over a limit', 'лимит превышен'],
  'event.limits.reset': ['daily limits reset', 'дневные лимиты сброшены'],
  'event.report.generated': ['report', 'отчёт'],
  'event.alert.info': ['alert: info', 'тревога: сведения'],
  'event.alert.warning': ['alert: warning', 'тревога: предупреждение'],
  'event.alert.critical': ['alert: critical', 'тревога: критично'],
} satisfies Record<`event.${EventType}`, Text>;

const ENTRIES = {
  'event.action.acquired': ['action allowed', 'действие разрешено'],
  'event.action.recorded': ['action counted', 'действие учтено'],
  'event.action.reported': ['action reported at the release', 'действие из отчёта при возврате'],
  'event.error.reported': ['error reported', 'сообщено об ошибке'],
} satisfies Record<`event.${Exclude<HistoryType, EventType>}`, Text>;

/** Events, and the entries of a history beside them. */
export const EVENT_TEXTS = { ...EVENTS, ...ENTRIES };

const nameOf = (key: string): string => key.slice('event.'.length);
export const EVENT_TYPE_NAMES = Object.keys(EVENTS).map(nameOf) as EventType[];
export const HISTORY_TYPE_NAMES = Object.keys(EVENT_TEXTS).map(nameOf) as HistoryType[];
