import { computed, signal } from '@preact/signals';

const BASE = '/console';

interface Place {
  /** Below `/console`, such as `/accounts`. */
  path: string;
  query: URLSearchParams;
}

const read = (): Place => ({
  path: location.pathname.slice(BASE.length).replace(/\/+$/, '') || '/',
  query: new URLSearchParams(location.search),
});

export const place = signal<Place>(read());
export const query = computed(() => place.value.query);

/** The address of a place; fields without a value are left out. */
export function addressOf(path: string, fields: Record<string, string | number | undefined> = {}): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}${path === '/' ? '' : path}${text === '' ? '' : `?${text}`}`;
}

/** Goes to an address of the console. `replace`: without a step to come back to. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  const before = place.value.path;
  place.value = read();
  if (before !== place.value.path) scrollTo(0, 0);
}

/** Keeps fields of the query string, so that a reload and a colleague see the same. */
export function keepInAddress(fields: Record<string, string | undefined>): void {
  const kept = Object.fromEntries(query.value);
  go(addressOf(place.value.path, { ...kept, ...fields }), { replace: true });
}

/** Links within the console change the view without loading the page anew. */
export function followLinks(): void {
  addEventListener('popstate', () => (place.value = read()));
  document.addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest('a');
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || link.target !== '' || link.origin !== location.origin) return;
    if (link.pathname !== BASE && !link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
