import { type AlertName, ALERTS, type AlertSeverity } from '../../../contracts/alerts.js';

/** A fault of one kind, about one subject; raised once and resolved once. */
export interface Alert {
  readonly kind: AlertName;
  /** Tells several of one kind apart, such as the name of a proxy; empty where there is one only. */
  readonly subject: string;
  readonly severity: AlertSeverity;
  /** Figures and ids for whoever looks into it; no secrets. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** An alert with the severity of its kind. */
export const alertOf = (kind: AlertName, subject: string, data: Alert['data']): Alert => ({
  kind,
  subject,
  severity: ALERTS[kind],
  data,
});

/** An alert that was raised and is not yet resolved. */
export interface OpenAlert extends Omit<Alert, 'kind'> {
  /** Another version of the service may have raised one that this version does not know. */
  readonly kind: string;
  readonly alertId: string;
}

/** The changes that make the open alerts those that were found. */
export interface AlertChanges<Open extends OpenAlert> {
  readonly raise: readonly Alert[];
  /** Open and found again: their figures are kept up to date, without a word. */
  readonly keep: readonly { readonly open: Open; readonly found: Alert }[];
  readonly resolve: readonly Open[];
}

/** Compares what was found with what is open; `open` holds the alerts of the kinds that were looked for. */
export function compareAlerts<Open extends OpenAlert>(
  open: readonly Open[],
  found: readonly Alert[],
): AlertChanges<Open> {
  const openByName = new Map(open.map((alert) => [nameOf(alert), alert]));
  const foundByName = new Map(found.map((alert) => [nameOf(alert), alert]));
  return {
    raise: [...foundByName.values()].filter((alert) => !openByName.has(nameOf(alert))),
    keep: [...foundByName].flatMap(([name, alert]) => {
      const known = openByName.get(name);
      return known === undefined ? [] : [{ open: known, found: alert }];
    }),
    resolve: open.filter((alert) => !foundByName.has(nameOf(alert))),
  };
}

const nameOf = ({ kind, subject }: Pick<OpenAlert, 'kind' | 'subject'>): string => `${kind} ${subject}`;
