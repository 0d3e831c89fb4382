import type { AlertName } from '../../../contracts/alerts.js';
import type { Text } from './text.js';

/** The runbook: what each alert means and what to do about it. */
export const ALERT_TEXTS = {
  'alert.flood_wait_share': ['Many accounts in flood waits', 'Много аккаунтов во флуд-ожидании'],
  'alert.flood_wait_share.do': [
    'Services work too fast or all in one place. Look which service and purpose the waits come from (Accounts, status flood wait), slow it down, and leave the waits to end by themselves: recovering early brings longer ones.',
    'Сервисы работают слишком быстро или в одном месте. Посмотрите, от какого сервиса и задачи ожидания (Аккаунты, статус «флуд-ожидание»), замедлите его и дайте ожиданиям закончиться: раннее восстановление даёт более долгие.',
  ],
  'alert.blocked_share': ['Many accounts blocked', 'Много заблокированных аккаунтов'],
  'alert.blocked_share.do': [
    'Telegram says PeerFlood: strangers report what the accounts do. Stop the campaign behind it now; blocks end by themselves after 24 h, repeated ones after 72 h and 7 days, and accounts then begin with reduced limits.',
    'Telegram отвечает PeerFlood: на действия аккаунтов жалуются. Остановите кампанию сейчас; блоки кончаются сами через 24 ч, повторные — через 72 ч и 7 дней, затем лимиты снижены.',
  ],
  'alert.near_limits_share': [
    'Much of the fleet is near its daily limits',
    'Большая часть парка близка к дневным лимитам',
  ],
  'alert.near_limits_share.do': [
    'Capacity until midnight (UTC) runs out. Look at the capacity on Fleet; register more accounts or move work to tomorrow.',
    'Ресурс до полуночи (UTC) заканчивается. Посмотрите остаток на странице «Парк»; добавьте аккаунты или перенесите работу на завтра.',
  ],
  'alert.high_error_counts': ['Accounts with many errors', 'Аккаунты с многими ошибками'],
  'alert.high_error_counts.do': [
    'Open the accounts that are named and look at their errors. One kind of error on many accounts is the service’s fault, many kinds on one account are the account’s: drain it.',
    'Откройте названные аккаунты и посмотрите ошибки. Один вид ошибок у многих — вина сервиса, много видов у одного — аккаунта: выведите его.',
  ],
  'alert.waits_without_end': ['Accounts that wait without an end', 'Ожидания без конца'],
  'alert.waits_without_end.do': [
    'The end of their wait is missing or too far away. Set it on the account (Set the end of the wait), or recover it.',
    'Конец ожидания не задан или слишком далёк. Задайте его на странице аккаунта или восстановите аккаунт.',
  ],
  'alert.overdue_recoveries': ['Waits that should have ended', 'Ожидания, которые должны были кончиться'],
  'alert.overdue_recoveries.do': [
    'Run the job “Ending waits that are over” on Jobs. Where that helps, find out why it has not run: no instance with JOBS_ENABLED, or a database that is slow.',
    'Запустите задание «Завершение ожиданий». Если помогло, выясните, почему оно не шло: нет экземпляра с JOBS_ENABLED или медленная база.',
  ],
  'alert.expired_leases': ['Leases that should have been closed', 'Аренды, которые должны были закрыться'],
  'alert.expired_leases.do': [
    'Run the job “Closing leases that are over” on Jobs. Their accounts are not lost: nobody can use them under the old lease.',
    'Запустите задание «Закрытие истёкших аренд». Аккаунты не потеряны: по старой аренде ими никто не воспользуется.',
  ],
  'alert.session_key_unknown': ['Sessions that no key opens', 'Сессии, к которым нет ключа'],
  'alert.session_key_unknown.do': [
    'A key was taken out of SESSION_ENCRYPTION_KEYS too early. Put it back behind the first one and restart; sessions are sealed anew in the background.',
    'Ключ убрали из SESSION_ENCRYPTION_KEYS слишком рано. Верните его после первого и перезапустите; сессии перешифруются в фоне.',
  ],
  'alert.proxy_failing': ['A proxy fails', 'Прокси не работает'],
  'alert.proxy_failing.do': [
    'Several accounts behind one proxy fail together, so it is the proxy. Mend it, or register these accounts with another.',
    'Сразу несколько аккаунтов за одним прокси не работают: дело в нём. Почините его или зарегистрируйте аккаунты с другим.',
  ],
  'alert.limit_exceeded': ['An account did more than its limits allow', 'Аккаунт сделал больше лимита'],
  'alert.limit_exceeded.do': [
    'A service acts first and reports later. It should ask action.acquire before each action. The account gets nothing more of this action until there is room.',
    'Сервис сначала действует, потом сообщает. Перед каждым действием он должен вызывать action.acquire. До освобождения лимита аккаунт это действие не получит.',
  ],
  'alert.broker': ['Something is wrong at the broker', 'Неполадка у брокера'],
  'alert.broker.do': [
    'Read what the alert says below: a missing binding, a consumer that is gone, a broker that blocks publishers. Requests over HTTP go on; requests and events wait at the broker or in the outbox, nothing is lost.',
    'Прочтите подробности ниже: нет привязки, пропал потребитель, брокер блокирует публикацию. HTTP работает; запросы и события ждут у брокера или в outbox, ничего не потеряно.',
  ],
  'alert.job_overdue': ['A job is overdue', 'Задание не выполняется'],
  'alert.job_overdue.do': [
    'Look at its last runs on Jobs, with their failures. Run it now; where that fails too, read the failure: mostly the database is slow or away.',
    'Посмотрите последние запуски на странице «Задания» и их ошибки. Запустите сейчас; если не удалось, читайте ошибку: обычно медленна или недоступна база.',
  ],
} satisfies Record<`alert.${AlertName}` | `alert.${AlertName}.do`, Text>;
