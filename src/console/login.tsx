import { signal, useSignal } from '@preact/signals';
import type { SessionReply } from '../../contracts/console.js';
import { JSON_BODY, send, type Trouble, troubleOf } from './api.js';
import { TroubleNote, Waiting } from './parts/basics.js';
import { readForm } from './parts/read-form.js';
import { LanguageChoice } from './parts/language-choice.js';
import { endSession, session } from './session.js';
import { say } from './text.js';

/** Why it is not known who has logged in. */
export const sessionTrouble = signal<Trouble | null>(null);

export async function loadSession(): Promise<void> {
  try {
    session.value = (await send<SessionReply>('/console/session')).session;
    sessionTrouble.value = null;
  } catch (error) {
    sessionTrouble.value = troubleOf(error);
  }
}

export async function logOut(): Promise<void> {
  await send('/console/logout', { method: 'POST' });
  endSession();
}

/** Takes the token once; the service keeps it in a cookie that no script can read. */
export function Login() {
  const trouble = useSignal<Trouble | null>(null);
  const isSending = useSignal(false);
  const submit = (event: SubmitEvent): void => {
    const { token } = readForm(event);
    isSending.value = true;
    send<SessionReply>('/console/login', { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ token }) })
      .then((reply) => (session.value = reply.session))
      .catch((error: unknown) => (trouble.value = troubleOf(error)))
      .finally(() => (isSending.value = false));
  };
  return (
    <main class="login">
      <h1>Account Manager</h1>
      <form onSubmit={submit}>
        <div class="field">
          <label for="token">{say('login.token')}</label>
          <input id="token" name="token" type="password" required autofocus autocomplete="current-password" />
          <p class="hint">{say('login.hint')}</p>
        </div>
        {trouble.value && <TroubleNote trouble={trouble.value} />}
        {isSending.value && <Waiting>{say('doing')}</Waiting>}
        <button type="submit" class="primary" disabled={isSending.value}>
          {say('login')}
        </button>
      </form>
      <LanguageChoice />
    </main>
  );
}
