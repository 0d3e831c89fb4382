import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Cadence, latestOccurrence, nextOccurrence, parseCadence } from '../../src/decide/jobs/cadence.js';

const cadence = (text: string): Cadence => {
  const parsed = parseCadence(text);
  if (parsed === null) throw new Error(`${text} is no cadence`);
  return parsed;
};
const at = (iso: string): number => Date.parse(iso);
const around = (text: string, iso: string): string[] =>
  [latestOccurrence(cadence(text), at(iso)), nextOccurrence(cadence(text), at(iso))].map((instant) =>
    new Date(instant).toISOString(),
  );

test.each([
  ['0 0 * * *', '2026-03-01T12:00:00Z', '2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'],
  ['0 0 * * *', '2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'],
  ['0 0 * * *', '2026-02-28T23:59:59.999Z', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
  ['300', '2026-03-01T12:04:59.999Z', '2026-03-01T12:00:00.000Z', '2026-03-01T12:05:00.000Z'],
  ['21600', '2026-03-01T23:00:00Z', '2026-03-01T18:00:00.000Z', '2026-03-02T00:00:00.000Z'],
  ['86400', '2026-03-01T23:00:00Z', '2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'],
  ['5', '2026-12-31T23:59:58Z', '2026-12-31T23:59:55.000Z', '2027-01-01T00:00:00.000Z'],
  ['30 4 * * 1-5', '2026-03-01T12:00:00Z', '2026-02-27T04:30:00.000Z', '2026-03-02T04:30:00.000Z'],
  ['0 12 29 2 *', '2026-03-01T12:00:00Z', '2024-02-29T12:00:00.000Z', '2028-02-29T12:00:00.000Z'],
  ['15 0,6-18/6 * * *', '2026-03-01T05:00:00Z', '2026-03-01T00:15:00.000Z', '2026-03-01T06:15:00.000Z'],
  ['0 0 */15 * *', '2026-02-20T12:00:00Z', '2026-02-16T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
  ['*/20 59 23 31 12 *', '2026-03-01T00:00:00Z', '2025-12-31T23:59:40.000Z', '2026-12-31T23:59:00.000Z'],
])('%s at %s: %s, then %s', (text, now, latest, next) => {
  expect(around(text, now)).toEqual([latest, next]);
});

test.each([
  '',
  '0',
  '7',
  '90',
  '25200',
  '172800',
  '-5',
  '1.5',
  '* * * *',
  '* * * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * 30 2 *',
  '* * * 13 *',
  '* * * * 7',
  '5-1 * * * *',
  '*/0 * * * *',
  '5/10 * * * *',
  '0 0 1 * 1',
  '@daily',
  '*/61 * * * *',
  '0 0 L * *',
  '0 0 * * MON',
  '0 0 * * 1#2',
  '0 0 1W * *',
  '? * * * *',
  '0 0 2-31 * 1-6',
  'a b c d e',
  '1,,2 * * * *',
])('%s is none', (text) => {
  expect(parseCadence(text)).toBeNull();
});

test('is found as one finds it who tries every second', () => {
  const field = (values: Record<string, (value: number) => boolean>) =>
    fc.constantFrom(...Object.entries(values).map(([written, allows]) => ({ written, allows })));
  const any = (): boolean => true;
  const seconds = field({ '*/7': (n) => n % 7 === 0, 0: (n) => n === 0, '3,50': (n) => n === 3 || n === 50, '*': any });
  const minutes = field({ '*': any, 0: (n) => n === 0, '*/13': (n) => n % 13 === 0, '58-59': (n) => n >= 58 });
  const hours = field({ '*': any, 0: (n) => n === 0, 23: (n) => n === 23, '*/5': (n) => n % 5 === 0 });
  const days = fc.constantFrom(
    { written: '* * *', allows: any },
    { written: '1 * *', allows: (date: Date) => date.getUTCDate() === 1 },
    {
      written: '28-31 2,3 *',
      allows: (date: Date) => date.getUTCDate() >= 28 && [1, 2].includes(date.getUTCMonth()),
    },
    { written: '1-31 * 0', allows: (date: Date) => date.getUTCDay() === 0 },
  );
  const given = fc.record({ seconds, minutes, hours, days });
  type Given = typeof given extends fc.Arbitrary<infer T> ? T : never;
  const isDue = (fields: Given, instant: number): boolean => {
    const date = new Date(instant);
    return (
      instant % 1000 === 0 &&
      fields.seconds.allows(date.getUTCSeconds()) &&
      fields.minutes.allows(date.getUTCMinutes()) &&
      fields.hours.allows(date.getUTCHours()) &&
      fields.days.allows(date)
    );
  };
  const near = fc.integer({ min: at('2026-02-27T00:00:00Z'), max: at('2026-03-03T00:00:00Z') });
  fc.assert(
    fc.property(given, near, (fields, now) => {
      const { written } = fields.days;
      const read = cadence(`${fields.seconds.written} ${fields.minutes.written} ${fields.hours.written} ${written}`);
      const latest = latestOccurrence(read, now);
      const next = nextOccurrence(read, now);
      expect(isDue(fields, latest) && isDue(fields, next)).toBe(true);
      expect(latest <= now && now < next).toBe(true);
      // Nothing between them; some of them are months apart.
      for (let instant = latest + 1000; instant < Math.min(next, latest + 10_000_000); instant += 1000) {
        if (isDue(fields, instant)) throw new Error(`missed ${new Date(instant).toISOString()}`);
      }
    }),
    { numRuns: 50 },
  );
});
