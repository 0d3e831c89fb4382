import { expect, test } from '@jest/globals';
import { toLength } from '../../src/cli/options.js';
import { cutLine } from '../../src/cli/terminal/cut-line.js';
import { createPaint } from '../../src/cli/terminal/paint.js';
import { toTable } from '../../src/cli/terminal/print.js';
import { tellLength, tellWhen } from '../../src/cli/terminal/words.js';

const HOUR = 3_600_000;

test.each([
  [0, '0 s'],
  [44_600, '45 s'],
  [59_700, '1 min'],
  [12.4 * 60_000, '12 min'],
  [3 * HOUR, '3 h'],
  [3 * HOUR + 5 * 60_000, '3 h 5 min'],
  [HOUR + 59.7 * 60_000, '2 h'],
  [23 * HOUR + 59.8 * 60_000, '1 d'],
  [52 * HOUR, '2 d 4 h'],
  [47.8 * HOUR, '2 d'],
])('%d ms are %s', (ms, told) => expect(tellLength(ms)).toBe(told));

test('instants are told by how far they are away', () => {
  const now = Date.parse('2026-03-02T10:00:00.000Z');
  expect(tellWhen('2026-03-02T10:12:00.000Z', now)).toBe('in 12 min');
  expect(tellWhen('2026-03-02T07:00:00.000Z', now)).toBe('3 h ago');
  expect(tellWhen(null, now)).toBe('–');
});

test.each([
  ['45', 45_000],
  ['30s', 30_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['250ms', 250],
])('%s is a length', (text, ms) => expect(toLength(text)).toBe(ms));

test.each(
  ['', 'x', '10', '-1s', '1.5h', '10 m', 'm10', '1w'].filter((text) => text !== '10'),
)('%j is no length', (text) => {
  expect(() => toLength(text)).toThrow();
});

test('a line is cut to the terminal, its colours not counted', () => {
  const paint = createPaint(true);
  expect(cutLine('abcdef', 3)).toBe('abc');
  expect(cutLine('abc', 3)).toBe('abc');
  expect(cutLine(`${paint('bad', 'abcdef')}g`, 3)).toBe('\x1b[31mabc\x1b[0m');
  expect(cutLine('жзик', 2)).toBe('жз');
});

test('a cell has one line, and nothing in it steers the terminal', () => {
  const table = toTable(
    [{ text: 'a\nb\x1b]0;title\x07\r\tc' }, { text: '' }],
    [['TEXT', ({ text }) => text]],
    createPaint(false),
  );
  expect(table.split('\n')).toEqual(['TEXT', 'a b ]0;title   c', '–']);
});
