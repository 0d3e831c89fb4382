import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { behind, type EventPosition, readPosition, writePosition } from '../../contracts/event-position.js';

const number = fc.bigInt({ min: 1n, max: 10n ** 15n });
const snapshot = fc
  .tuple(number, fc.uniqueArray(fc.bigInt({ min: 0n, max: 1_000n }), { maxLength: 20 }))
  .map(([xmin, gaps]) => {
    const underWay = gaps.toSorted((a, b) => (a < b ? -1 : 1)).map((gap) => xmin + gap);
    return `${xmin}:${(underWay.at(-1) ?? xmin) + 1n}:${underWay.join(',')}`;
  });
const position: fc.Arbitrary<EventPosition> = fc.record({
  before: fc.option(snapshot),
  within: snapshot,
  id: number.map(String),
});

test('a position is read as it was written, from letters that need no escape', () => {
  fc.assert(
    fc.property(position, (given) => {
      fc.pre(given.before !== given.within);
      const text = writePosition(given);
      expect(encodeURIComponent(text)).toBe(text);
      expect(readPosition(text)).toEqual(given);
    }),
  );
  fc.assert(
    fc.property(snapshot, (given) => expect(readPosition(writePosition(behind(given)))).toEqual(behind(given))),
  );
});

test.each([
  '',
  'tomorrow',
  '§',
  '1-2',
  '0-1-',
  '5-4-',
  '5-9-4',
  '5-9-9',
  '5-9-7_6',
  '5-9-6_6',
  '1-2-.1-2-.x',
  '1-2-.1-2-',
  '1-2-.1-2-.1.1',
  'x.1-2-.1',
  `1-${'9'.repeat(19)}-`,
  `.1-2-.${'9'.repeat(19)}`,
])('a text that PostgreSQL would not take is no position: %j', (text) => {
  expect(readPosition(text)).toBeNull();
});
