import { type Alert, alertOf } from '../jobs/compare-alerts.js';

/** The accounts of one proxy, as `session_metadata` names it. */
export interface ProxyGroup {
  /** A URL, `host:port`, or an object with a host and a port; whatever an operator stored. */
  readonly proxy: unknown;
  readonly accounts: number;
  /** How many of these wait, are disabled (but by an operator), or have many errors. */
  readonly failing: number;
}

/** Fewer failing accounts than this may be chance. */
const LEAST_FAILING = 3;
/** And so may a smaller share of those behind the proxy, per cent. */
const LEAST_PERCENT = 50;

/** Alerts about proxies whose accounts fail together: the proxy, rather than the accounts, is likely at fault. */
export function findFailingProxies(groups: readonly ProxyGroup[]): Alert[] {
  const byName = new Map<string, { accounts: number; failing: number }>();
  for (const { proxy, accounts, failing } of groups) {
    const name = nameProxy(proxy);
    if (name === null) continue;
    const sum = byName.get(name) ?? { accounts: 0, failing: 0 };
    byName.set(name, { accounts: sum.accounts + accounts, failing: sum.failing + failing });
  }
  return [...byName]
    .filter(([, { accounts, failing }]) => failing >= LEAST_FAILING && failing * 100 >= LEAST_PERCENT * accounts)
    .map(([subject, counts]) => alertOf('proxy_failing', subject, counts));
}

/** A proxy as `host:port`, without the credentials that its text may carry; null where it names no host. */
export function nameProxy(proxy: unknown): string | null {
  if (typeof proxy === 'string') return nameByText(proxy);
  if (proxy === null || typeof proxy !== 'object') return null;
  const fields = proxy as Record<string, unknown>;
  const host = [fields.host, fields.hostname, fields.addr, fields.address, fields.ip, fields.server].find(
    (value) => typeof value === 'string' && value !== '',
  );
  if (typeof host !== 'string') return nameByText(typeof fields.url === 'string' ? fields.url : '');
  const { port } = fields;
  return nameByText(typeof port === 'number' || typeof port === 'string' ? `${host}:${port}` : host);
}

/** Takes away everything but host and port: scheme, credentials before an @ or after the port, path. */
function nameByText(text: string): string | null {
  const authority = text.slice(text.lastIndexOf('@') + 1).replace(/^[a-z0-9+.-]+:\/\//i, '');
  const [, name] = /^([a-z0-9._-]+(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?)(?:[:/?#].*)?$/i.exec(authority) ?? [];
  return name?.toLowerCase() ?? null;
}
