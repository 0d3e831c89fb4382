import { signal } from '@preact/signals';
import { addressOf, go } from './router.js';
import { VIEWS } from './views.js';

/** Whether the list of keys is shown. */
export const showsKeys = signal(false);

const SECOND_KEY_MS = 1_500;

/** `/` goes to the search, `g` and a letter to a view, `?` shows the keys; nothing while somebody types. */
export function hearKeys(): void {
  let goesUntil = 0;
  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const isSecond = event.timeStamp < goesUntil;
    goesUntil = 0;
    const view = isSecond ? VIEWS.find(({ key }) => key === event.key) : undefined;
    if (view) go(addressOf(view.path));
    else if (event.key === 'g') goesUntil = event.timeStamp + SECOND_KEY_MS;
    else if (event.key === '?') showsKeys.value = true;
    else if (event.key === '/') document.querySelector<HTMLElement>('[data-search]')?.focus();
    else return;
    event.preventDefault();
  });
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input:not([type=checkbox]), textarea, select, dialog') !== null;
