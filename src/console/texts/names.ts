import type { LimitReason } from '../../../contracts/actions.js';
import type { AccountStatus, ActionType, DisabledReason, ErrorClass, Purpose } from '../../../contracts/fields.js';
import type { JobName, RUN_STATES } from '../../../contracts/jobs.js';
import type { Text } from './text.js';

const STATUS_TEXTS = {
  'status.active': ['active', 'активен'],
  'status.flood_wait': ['flood wait', 'флуд-ожидание'],
  'status.blocked': ['blocked', 'заблокирован'],
  'status.draining': ['draining', 'выводится'],
  'status.disabled': ['disabled', 'отключён'],
} satisfies Record<`status.${AccountStatus}`, Text>;

const DISABLED_TEXTS = {
  'disabled.banned': ['banned by Telegram', 'забанен в Telegram'],
  'disabled.deactivated': ['deleted at Telegram', 'удалён в Telegram'],
  'disabled.frozen': ['frozen', 'заморожен'],
  'disabled.needs_reauth': ['needs a new session', 'нужна новая сессия'],
  'disabled.manual': ['by an operator', 'оператором'],
} satisfies Record<`disabled.${DisabledReason}`, Text>;

const ACTION_TEXTS = {
  'action.invite': ['Invites', 'Приглашения'],
  'action.message': ['Messages', 'Сообщения'],
  'action.add_contact': ['Contacts', 'Контакты'],
  'action.join_channel': ['Joining channels', 'Вступления'],
  'action.leave_channel': ['Leaving channels', 'Выходы'],
  'action.parse': ['Parsing', 'Парсинг'],
} satisfies Record<`action.${ActionType}`, Text>;

const PURPOSE_TEXTS = {
  'purpose.invite_campaign': ['inviting', 'инвайтинг'],
  'purpose.message_campaign': ['messaging', 'рассылка'],
  'purpose.contact_import': ['importing contacts', 'импорт контактов'],
  'purpose.parsing': ['parsing', 'парсинг'],
  'purpose.channel_management': ['managing channels', 'управление каналами'],
  'purpose.general': ['anything', 'любая'],
} satisfies Record<`purpose.${Purpose}`, Text>;

const RULE_TEXTS = {
  'rule.lease': ['held by somebody', 'кем-то занят'],
  'rule.account_status': ['status', 'статус'],
  'rule.daily': ['daily limit', 'дневной лимит'],
  'rule.hourly': ['hourly limit', 'часовой лимит'],
  'rule.per_channel_daily': ['daily limit of the channel', 'дневной лимит канала'],
  'rule.per_channel_total': ['lifetime limit of the channel', 'общий лимит канала'],
  'rule.cooldown': ['pause between two actions', 'пауза между действиями'],
  'rule.burst': ['pause after a burst', 'пауза после серии'],
} satisfies Record<`rule.${LimitReason | 'lease'}`, Text>;

const CLASS_TEXTS = {
  'class.flood_wait': ['flood wait', 'флуд-ожидание'],
  'class.premium_wait': ['wait without Premium', 'ожидание без Premium'],
  'class.slow_mode': ['slow mode', 'медленный режим'],
  'class.takeout': ['takeout delay', 'задержка экспорта'],
  'class.peer_flood': ['peer flood', 'PeerFlood'],
  'class.restricted': ['restricted', 'ограничен'],
  'class.banned': ['banned', 'бан'],
  'class.deactivated': ['deactivated', 'удалён'],
  'class.auth': ['authorisation', 'авторизация'],
  'class.privacy': ['privacy of the target', 'приватность адресата'],
  'class.target': ['the target', 'адресат'],
  'class.permission': ['no permission', 'нет прав'],
  'class.invalid_request': ['invalid request', 'неверный запрос'],
  'class.migrate': ['other data centre', 'другой дата-центр'],
  'class.transient': ['passing trouble', 'временный сбой'],
  'class.other': ['other', 'прочее'],
} satisfies Record<`class.${ErrorClass}`, Text>;

const JOB_TEXTS = {
  'job.reset-daily-limits': ['Daily reset', 'Суточный сброс'],
  'job.process-recoveries': ['Ending waits that are over', 'Завершение ожиданий'],
  'job.cleanup-locks': ['Closing leases that are over', 'Закрытие истёкших аренд'],
  'job.health-scan': ['Looking for trouble', 'Проверка здоровья'],
  'job.cleanup-rate-limits': ['Removing old rows', 'Удаление старых записей'],
  'job.report': ['Report of the fleet', 'Отчёт по парку'],
} satisfies Record<`job.${JobName}`, Text>;

const RUN_TEXTS = {
  'run.waiting': ['waiting', 'ждёт'],
  'run.running': ['running', 'идёт'],
  'run.done': ['done', 'выполнено'],
  'run.failed': ['failed', 'ошибка'],
  'run.interrupted': ['interrupted', 'прервано'],
  'run.replaced': ['replaced', 'заменено'],
  'run.skipped': ['skipped', 'пропущено'],
} satisfies Record<`run.${(typeof RUN_STATES)[number]}`, Text>;

/** Names of the contract in a reader's words. */
export const NAME_TEXTS = {
  ...STATUS_TEXTS,
  ...DISABLED_TEXTS,
  ...ACTION_TEXTS,
  ...PURPOSE_TEXTS,
  ...RULE_TEXTS,
  ...CLASS_TEXTS,
  ...JOB_TEXTS,
  ...RUN_TEXTS,
  'severity.info': ['info', 'сведения'],
  'severity.warning': ['warning', 'предупреждение'],
  'severity.critical': ['critical', 'критично'],
} satisfies Record<string, Text>;

/** The names of a table's keys without their group, in the table's order. */
const namesOf = <K extends string>(table: Record<string, Text>): K[] =>
  Object.keys(table).map((key) => key.slice(key.indexOf('.') + 1) as K);

export const STATUS_NAMES = namesOf<AccountStatus>(STATUS_TEXTS);
export const DISABLED_REASON_NAMES = namesOf<DisabledReason>(DISABLED_TEXTS);
export const ACTION_NAMES = namesOf<ActionType>(ACTION_TEXTS);
export const PURPOSE_NAMES = namesOf<Purpose>(PURPOSE_TEXTS);
