import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, troubleOf } from '../api.js';
import { may } from '../session.js';
import { say } from '../text.js';
import { shortId } from './basics.js';

const SHOWN_MS = 30_000;

/** A phone number, masked by the service until the reader asks for it, which the service's log tells; then for 30 s. */
export function Phone({ masked, accountId }: { masked: string | null; accountId: string }) {
  const shown = useSignal<string | null>(null);
  useEffect(() => {
    if (shown.value === null) return;
    const timer = setTimeout(() => (shown.value = null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown.value]);
  if (masked === null) return <span class="quiet">–</span>;
  const show = (event: Event): void => {
    event.stopPropagation();
    ask('query.accounts', { search: accountId, limit: 1 }, { showsPhones: true })
      .then(({ accounts }) => (shown.value = accounts[0]?.phone ?? masked))
      .catch((error: unknown) => (shown.value = troubleOf(error).code));
  };
  return (
    <span class="phone">
      {shown.value ?? masked}
      {shown.value === null && may('query.accounts') && (
        <button
          type="button"
          class="link"
          aria-label={say('phone.show.of', { account: shortId(accountId) })}
          onClick={show}
        >
          {say('phone.show')}
        </button>
      )}
    </span>
  );
}
