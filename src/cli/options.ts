import { type Command, InvalidArgumentError, Option } from 'commander';
import { serviceName } from '../../contracts/fields.js';
import type { ListOptions } from './output.js';

/** Options that several commands take, and how their values are read. A wrong value is told with its option. */

export function toWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 0 or more.');
}

export function toPositive(text: string): number {
  const number = toWhole(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('It must be 1 or more.');
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A length such as `30s`, `10m`, `2h`, `1d` or `1h30m`, in milliseconds; a plain number means seconds. */
export function toLength(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d{1,9}(ms|s|m|h|d))+$/.test(text)) {
    throw new InvalidArgumentError('It must be a length such as 30s, 10m or 2h.');
  }
  return [...text.matchAll(/(\d+)([a-z]+)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
}

export function toServiceName(text: string): string {
  const parsed = serviceName.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`It ${parsed.error.issues[0]?.message ?? 'is not the name of a service'}.`);
}

/** One of these words. */
export const choice = (flags: string, description: string, words: readonly string[]): Option =>
  new Option(flags, description).choices(words);

export const withList = (command: Command): Command =>
  command.option('--limit <n>', 'list so many at most', toPositive, 100).option('--all', 'list all that match');

export const withUser = (command: Command): Command =>
  command.option('--user <id>', 'only accounts of this user', toWhole);

export type { ListOptions };
