import type { Text } from './text.js';

/** The first page. */
export const FLEET_TEXTS = {
  'fleet.total': ['Accounts', 'Аккаунтов'],
  'fleet.free': ['Available', 'Доступно'],
  'fleet.leased': ['Leased', 'В аренде'],
  'fleet.healthy': ['Healthy', 'Здоровы'],
  'fleet.as-of': ['As of', 'На'],
  'fleet.status': ['Accounts by status', 'Аккаунты по статусам'],
  'fleet.services': ['Open leases by service', 'Аренды по сервисам'],
  'fleet.services.none': ['Nobody holds an account.', 'Никто не держит аккаунтов.'],
  'fleet.capacity': ['Left until midnight (UTC)', 'Осталось до полуночи (UTC)'],
  'fleet.unlimited': ['no limit', 'без лимита'],
  'fleet.needs': ['Needs a person', 'Требует внимания'],
  'fleet.needs.none': ['Nothing needs a person now.', 'Ничто не требует внимания.'],
  'fleet.needs.alerts': ['{n} open {n:alert|alerts}', '{n} {n:открытая тревога|открытые тревоги|открытых тревог}'],
  'fleet.needs.disabled': [
    '{n} {n:account|accounts} disabled: {reason}',
    '{n} {n:аккаунт отключён|аккаунта отключены|аккаунтов отключено}: {reason}',
  ],
  'fleet.needs.parked': [
    '{n} parked {n:message|messages}',
    '{n} {n:отложенное сообщение|отложенных сообщения|отложенных сообщений}',
  ],
  'fleet.needs.job': ['Job overdue: {job}', 'Задание просрочено: {job}'],
  'fleet.needs.away': ['{name} is away: {detail}', 'Недоступно: {name}. {detail}'],
  'fleet.dependencies': ['Depends on', 'Зависимости'],
  'fleet.up': ['up', 'работает'],
  'fleet.away': ['away', 'недоступно'],
  'fleet.chart.accounts': ['Accounts by status, 48 h', 'Аккаунты по статусам, 48 ч'],
  'fleet.chart.leases': ['Open leases, 48 h', 'Открытые аренды, 48 ч'],
  'fleet.chart.requests': ['Requests per second', 'Запросов в секунду'],
  'fleet.chart.latency': ['Requests: p99, ms', 'Запросы: p99, мс'],
  'fleet.chart.refusals': ['Refusals by code', 'Отказы по кодам'],
  'fleet.chart.errors': ['Errors by class', 'Ошибки по классам'],
  'fleet.chart.none': ['Nothing was measured yet.', 'Ещё ничего не измерено.'],
  'fleet.chart.now': ['now', 'сейчас'],
} satisfies Record<string, Text>;
