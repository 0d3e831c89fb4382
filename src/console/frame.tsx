import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { showsKeys } from './keys.js';
import { goneSince, streamState } from './live.js';
import { logOut } from './login.js';
import { Dialog } from './parts/dialog.js';
import { readForm } from './parts/read-form.js';
import { LanguageChoice } from './parts/language-choice.js';
import { addressOf, go } from './router.js';
import { may, session } from './session.js';
import { say, type TextKey } from './text.js';
import { clockText } from './time.js';
import { now } from './clock.js';
import { useAnswer } from './use-answer.js';
import { type View, VIEWS } from './views.js';

/** The navigation, the search and the state of the stream around a view. */
export function Frame({ view, children }: { view: View | null; children: ComponentChildren }) {
  const caller = session.value?.caller ?? null;
  useEffect(() => {
    document.title = view ? `${say(`nav.${view.name}`)} · Account Manager` : 'Account Manager';
  });
  return (
    <div class="frame">
      <a class="skip" href="#content">
        {say('skip')}
      </a>
      <nav aria-label={say('nav')}>
        <p class="brand">Account Manager</p>
        <ul>
          {VIEWS.filter(({ needs }) => may(needs)).map(({ name, path, key }) => (
            <li key={name}>
              <a href={addressOf(path)} aria-current={view?.name === name ? 'page' : undefined} title={`g ${key}`}>
                {say(`nav.${name}`)}
                {name === 'alerts' && <OpenAlerts />}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <header class="top">
        {may('query.accounts') ? <Search /> : <span />}
        <StreamState />
        <div class="who">
          <span title={say('who')}>{caller ?? say('who.nobody')}</span>
          <LanguageChoice />
          <button type="button" class="link" onClick={() => (showsKeys.value = true)}>
            {say('keys')}
          </button>
          {caller !== null && (
            <button type="button" class="link" onClick={() => void logOut()}>
              {say('logout')}
            </button>
          )}
        </div>
      </header>
      <main id="content">
        {caller === null && <p class="banner">{say('identity.off')}</p>}
        {children}
      </main>
      {showsKeys.value && <Keys />}
    </div>
  );
}

function Search() {
  const submit = (event: SubmitEvent): void => {
    const { search } = readForm(event);
    go(addressOf('/accounts', { search }));
  };
  return (
    <form role="search" onSubmit={submit}>
      <input data-search name="search" type="search" placeholder={say('search')} aria-label={say('search.label')} />
    </form>
  );
}

function OpenAlerts() {
  const { value } = useAnswer('query.alerts', { limit: 1 }, { everySeconds: 30 });
  if (value === null || value.total === 0) return null;
  return (
    <span class="count" title={say('alerts.open', { n: value.total })}>
      {value.total}
    </span>
  );
}

/** Whether what is on the screen is kept up to date, in words. */
function StreamState() {
  const state = streamState.value;
  if (state === 'off') return <span />;
  return (
    <p class={`stream stream-${state}`} role="status">
      {say(`stream.${state}`, state === 'gone' ? { since: clockText(goneSince.value, now.peek(), true) } : {})}
    </p>
  );
}

function Keys() {
  const rows: [string, TextKey][] = [
    ['/', 'keys.search'],
    ...VIEWS.filter(({ needs }) => may(needs)).map(({ name, key }): [string, TextKey] => [`g ${key}`, `nav.${name}`]),
    ['?', 'keys.keys'],
    ['↑ ↓', 'keys.rows'],
    ['Enter', 'keys.open'],
    ['x', 'keys.select'],
    ['Esc', 'keys.close'],
  ];
  return (
    <Dialog title={say('keys')} close={() => (showsKeys.value = false)}>
      <dl class="keys">
        {rows.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{say(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
