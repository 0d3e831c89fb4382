import { signal } from '@preact/signals';
import type { CloudEvent, EventType } from '../../contracts/events.js';
import { now } from './clock.js';
import { may, session } from './session.js';
import { EVENT_TYPE_NAMES } from './texts/events.js';

/** How the stream of events stands; `off`: the view wants none, or the caller may have none. */
export const streamState = signal<'off' | 'opening' | 'live' | 'paused' | 'gone'>('off');
/** Since when the stream is gone, milliseconds. */
export const goneSince = signal(0);

export interface LiveEvent {
  position: string;
  event: CloudEvent;
}

export interface Subscription {
  types?: readonly EventType[];
  accountId?: string;
  userId?: string;
  /** Goes on from here; absent: from now on. */
  after?: () => string | null;
  onEvent: (event: LiveEvent) => void;
  /** The stream is open, again: what was shown before may be old. */
  onOpen?: () => void;
}

const RETRY_MS = 2_000;

/** Follows the events of a view until the returned function is called. Closed while nobody sees the page. */
export function follow(subscription: Subscription): () => void {
  if (!may('query.events')) return () => undefined;
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLeft = false;

  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const fail = (): void => {
    close();
    if (streamState.value !== 'gone') goneSince.value = now.value;
    streamState.value = 'gone';
    if (!isLeft && session.value) timer = setTimeout(open, RETRY_MS);
  };
  const open = (): void => {
    if (streamState.value !== 'gone') streamState.value = 'opening';
    source = new EventSource(urlOf(subscription));
    source.onopen = () => {
      streamState.value = 'live';
      subscription.onOpen?.();
    };
    source.onerror = fail;
    const take = (message: MessageEvent<string>): void =>
      subscription.onEvent({ position: message.lastEventId, event: JSON.parse(message.data) as CloudEvent });
    for (const type of subscription.types ?? EVENT_TYPE_NAMES) source.addEventListener(type, take);
    source.addEventListener('dropped', fail);
  };
  const onVisibility = (): void => {
    close();
    if (document.hidden) streamState.value = 'paused';
    else open();
  };

  document.addEventListener('visibilitychange', onVisibility);
  onVisibility();
  return () => {
    isLeft = true;
    document.removeEventListener('visibilitychange', onVisibility);
    close();
    streamState.value = 'off';
  };
}

function urlOf({ types, accountId, userId, after }: Subscription): string {
  const path = session.value?.operations['query.events']?.path ?? '';
  const fields = new URLSearchParams();
  if (types) fields.set('types', types.join(','));
  if (accountId) fields.set('account_id', accountId);
  if (userId) fields.set('user_id', userId);
  const from = after?.();
  if (from) fields.set('after', from);
  return `${path}/stream?${fields.toString()}`;
}

/** Events that change the fleet's state or need a person. Grants and returns, thousands a second, are left out. */
export const RARE_TYPES: readonly EventType[] = EVENT_TYPE_NAMES.filter(
  (type) => !['account.allocated', 'account.renewed', 'account.released'].includes(type),
);
