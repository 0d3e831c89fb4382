import { styleText } from 'node:util';
import type { CloudEvent } from '../../contracts/events.js';
import type { Counts, Figures } from './history.js';

type Colour = Parameters<typeof styleText>[0];

/** Colours only where a person reads, and not where they do not want any (no-color.org). */
const isColourful = process.stdout.isTTY && !process.env.NO_COLOR;
export const paint = (colour: Colour, text: string): string => (isColourful ? styleText(colour, text) : text);

/** Says what happens while it happens, a line each, with the seconds since the start. */
export function createView() {
  const startedAt = Date.now();
  /** The services and the rules that were met before. */
  const known = new Set<unknown>();
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
    /** Of the many grants the first of each service is told; what stands out is told always. */
    event: ({ type, data }: CloudEvent, account: string) => {
      if (type === 'account.allocated' && !isNew(data.service_name)) return;
      const text = describeEvent(type, data);
      if (text !== null) say(`${account} ${text}`.trimStart());
    },
  };
}

function describeEvent(type: CloudEvent['type'], data: CloudEvent['data']): string | null {
  const seconds = String(data.wait_seconds);
  const error = String(data.telegram_error).replace(/X$/, seconds);
  const because = `Telegram said ${error}, classified as ${String(data.error_class)}`;
  const until = `until ${String(data.recovery_at).slice(11, 19)}`;
  switch (type) {
    case 'account.allocated':
      return `granted to ${String(data.service_name)}, its first`;
    case 'account.flood_wait':
      return paint('yellow', `waits ${until}: ${because}; ${seconds} s and 60 s to be safe`);
    case 'account.blocked':
      return paint('magenta', `blocked until ${String(data.recovery_at).slice(0, 16)}: ${because}`);
    case 'account.disabled':
      return paint('red', `disabled until an operator acts: ${because}`);
    case 'account.recovered':
      return paint('green', 'recovered');
    case 'account.registered':
    case 'account.renewed':
    case 'account.released':
      return null;
    default:
      return paint('bold', `${type} ${JSON.stringify(data)}`);
  }
}

const sum = (counts: Counts): number => Object.values(counts).reduce((total, n) => total + n, 0);

/** Such as `412 (invite 101, message 160)`. */
export const describeCounts = (counts: Counts): string => {
  const parts = Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([what, n]) => `${what} ${n}`);
  return parts.length === 0 ? '0' : `${sum(counts)} (${parts.join(', ')})`;
};

const describeFigures = ({ held, grants, allowed, refusedActions, accounts }: Figures): string => {
  const states = Object.entries(accounts).map(([status, n]) => `${n} ${status}`);
  return `${grants} grants, ${held} held · ${sum(allowed)} actions, ${sum(refusedActions)} refused · ${states.join(', ')}`;
};
