import { styleText } from 'node:util';
import type { ReceivedEvent } from './events.js';
import type { Counts, Figures } from './history.js';
import type { Report } from './operate.js';

type Colour = Parameters<typeof styleText>[0];

/** Colours only where a person reads, and not where they do not want any (no-color.org). */
const isColourful = process.stdout.isTTY && !process.env.NO_COLOR;
export const paint = (colour: Colour, text: string): string => (isColourful ? styleText(colour, text) : text);

export type View = ReturnType<typeof createView>;

/** Says what happens while it happens, a line each, with the seconds since the start. */
export function createView() {
  const startedAt = Date.now();
  /** The services and the rules that were met before. */
  const known = new Set<unknown>();
  /** When the accounts that wait are to recover. */
  const recoveryAt = new Map<unknown, number>();
  const isNew = (what: unknown): boolean => !known.has(what) && Boolean(known.add(what));
  const say = (text: string): void => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
    console.log(`${paint('dim', `${seconds} s`)}  ${text}`);
  };

  return {
    say,
    status: (figures: Figures) => {
      for (const rule of Object.keys(figures.refusedActions).filter(isNew)) say(`first action refused by ${rule}`);
      say(paint('dim', describeFigures(figures)));
    },
    /** The first grant of each service is told, of the many; events that stand out are told always. */
    event: ({ type, subject, data, receivedAt }: ReceivedEvent, account: string) => {
      if (type === 'account.allocated' && !isNew(data.service_name)) return;
      const text = describeEvent(type, data, receivedAt - (recoveryAt.get(subject) ?? receivedAt));
      const until = data.recovery_at as string | null | undefined;
      if (until) recoveryAt.set(subject, Date.parse(until));
      if (text !== null) say(`${account} ${text}`.trimStart());
    },
  };
}

/** `lateMs`: since the end of the account's wait. */
function describeEvent(type: ReceivedEvent['type'], data: ReceivedEvent['data'], lateMs: number): string | null {
  const seconds = String(data.wait_seconds);
  const error = String(data.telegram_error).replace(/X$/, seconds);
  const because = `Telegram said ${error}, classified as ${String(data.error_class)}`;
  const until = `until ${String(data.recovery_at).slice(11, 19)}`;
  switch (type) {
    case 'account.allocated':
      return `granted to ${String(data.service_name)}, its first`;
    case 'alert.info':
    case 'alert.warning':
    case 'alert.critical':
      return paint('bold', `${type} ${String(data.state)}: ${describeAlert(data as unknown as AlertFigures)}`);
    case 'limits.reset':
      return paint('bold', `a new day: ${String(data.day)}`);
    case 'report.generated':
      return paint('bold', `report: ${describeReport(data as unknown as Report)}`);
    case 'account.flood_wait':
      if (data.actor !== undefined) return null; // an operator has decided on another end
      return paint('yellow', `waits ${until}: ${because}; ${seconds} s and 60 s to be safe`);
    case 'account.blocked':
      if (data.actor !== undefined) return null;
      return paint('magenta', `blocked until ${String(data.recovery_at).slice(0, 16)}: ${because}`);
    case 'account.disabled':
      return paint('red', `disabled until an operator acts: ${because}`);
    case 'account.recovered':
      return paint('green', `recovered, ${lateMs} ms after the end of its wait`);
    case 'account.registered':
    case 'account.renewed':
    case 'account.released':
      return null;
    default:
      return paint('bold', `${type} ${JSON.stringify(data)}`);
  }
}

/** Subject of an alert, and its share of the fleet. */
interface AlertFigures {
  alert: string;
  subject?: string;
  accounts?: number;
  total_accounts?: number;
  percent?: number;
}

const describeAlert = ({ alert, subject = '', accounts, total_accounts: total, percent }: AlertFigures): string =>
  `${alert} ${subject}${total === undefined ? '' : `${accounts} of ${total} accounts (${percent} %)`}`;

const describeReport = (report: Report): string =>
  [
    `${report.health_percent} % of ${report.total_accounts} accounts healthy`,
    `used today: ${describeCounts(report.usage_today)}`,
    `waits: ${describeCounts(Object.fromEntries(report.waits.map(({ cause, accounts }) => [cause, accounts])))}`,
  ].join(' · ');

const sum = (counts: Counts): number => Object.values(counts).reduce((total, n) => total + n, 0);

/** Such as `412 (invite 101, message 160)`. */
export const describeCounts = (counts: Counts): string => {
  const parts = Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([what, n]) => `${what} ${n}`);
  return parts.length === 0 ? '0' : `${sum(counts)} (${parts.join(', ')})`;
};

const describeFigures = ({ held, grants, allowed, refusedActions, accounts }: Figures): string => {
  const states = Object.entries(accounts).map(([status, n]) => `${n} ${status}`);
  return `${grants} grants, ${held} held · ${sum(allowed)} actions, ${sum(refusedActions)} refused · ${states.join(', ')}`;
};
