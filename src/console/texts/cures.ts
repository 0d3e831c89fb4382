import type { Trouble } from '../api.js';
import type { Text } from './text.js';

/** Remedies for a refusal, by its code. */
export const CURE_TEXTS = {
  'cure.VALIDATION_FAILED': [
    'Something given is not as it must be: mend the named field.',
    'Что-то введено не так: исправьте названное поле.',
  ],
  'cure.MALFORMED_MESSAGE': [
    'The request could not be read: load the page anew.',
    'Запрос не прочитан: обновите страницу.',
  ],
  'cure.UNKNOWN_OPERATION': [
    'The service is older than this page: load the page anew.',
    'Сервис старше этой страницы: обновите страницу.',
  ],
  'cure.UNAUTHENTICATED': [
    'Log in with a token of the access file that is valid now.',
    'Войдите с действующим токеном из файла доступа.',
  ],
  'cure.FORBIDDEN': [
    'The rights of your token do not reach so far: ask whoever keeps the access file.',
    'Прав вашего токена не хватает: обратитесь к хранителю файла доступа.',
  ],
  'cure.ACCOUNT_NOT_FOUND': [
    'It was removed, or belongs to a user whose accounts you may not see.',
    'Он удалён или принадлежит пользователю, чьи аккаунты вам не видны.',
  ],
  'cure.NO_ACCOUNTS': ['Register accounts for this user.', 'Зарегистрируйте аккаунты для этого пользователя.'],
  'cure.ALL_BUSY': ['Wait until a lease ends, or release one.', 'Дождитесь конца аренды или освободите аккаунт.'],
  'cure.ALL_LIMITED': ['Wait until limits free up.', 'Дождитесь, пока освободятся лимиты.'],
  'cure.ALL_RESTRICTED': [
    'Wait for recoveries, or recover accounts.',
    'Дождитесь восстановления или восстановите аккаунты.',
  ],
  'cure.PREFERRED_UNAVAILABLE': ['Take another account, or wait.', 'Возьмите другой аккаунт или подождите.'],
  'cure.NOT_HELD': ['The account is not held: look at it anew.', 'Аккаунт никем не удерживается: обновите данные.'],
  'cure.LEASE_LOST': [
    'Another has had the account since: look at it anew.',
    'Аккаунт успел взять другой: обновите данные.',
  ],
  'cure.IDEMPOTENCY_CONFLICT': ['Do it once more.', 'Выполните ещё раз.'],
  'cure.COUNT_CHANGED': [
    'The fleet has changed meanwhile and nothing was done: look at the new count and confirm it.',
    'Парк успел измениться, ничего не сделано: проверьте новое число и подтвердите.',
  ],
  'cure.DEADLINE_EXCEEDED': ['Nothing was done: try again.', 'Ничего не сделано: попробуйте ещё раз.'],
  'cure.UNAVAILABLE': [
    'The service lacks something it depends on, or is asked too much; nothing was changed. Try again soon.',
    'Сервису недоступна зависимость или слишком много запросов; ничего не изменено. Повторите чуть позже.',
  ],
  'cure.INTERNAL': [
    'A defect: look for its id in the log of the service.',
    'Дефект: найдите его номер в журнале сервиса.',
  ],
  'cure.UNREACHABLE': [
    'The service is restarting or away, or your network is. The page tries again by itself where it can.',
    'Сервис перезапускается или недоступен, или пропала сеть. Страница пробует снова сама, где может.',
  ],
  'cure.after': ['Wait {length}.', 'Подождите {length}.'],
} satisfies Record<`cure.${Trouble['code'] | 'after'}`, Text>;
