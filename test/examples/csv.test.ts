import { expect, test } from '@jest/globals';
import { parseCsv } from '../../examples/csv.js';

test('quoted fields, both line ends, a byte-order mark, empty lines, no line end at the end', () => {
  const text = '\ufeffphone,note\r\n+1,"a ""b"", c"\r\n\r\n+2,"two\nlines"\n+3,';
  expect(parseCsv(text)).toEqual([
    { line: 2, fields: { phone: '+1', note: 'a "b", c' } },
    { line: 4, fields: { phone: '+2', note: 'two\nlines' } },
    { line: 6, fields: { phone: '+3', note: '' } },
  ]);
});

test.each([
  ['a field too many', 'a,b\n1,2\n1,2,3\n', 'line 3: 3 fields where the first line names 2'],
  ['an open quote', 'a,b\n1,"2\n', 'line 2: a quote that is not closed'],
  ['text beside a quoted field', 'a,b\n"1"x,2\n', 'line 2: a quote that is not closed, or text beside'],
  ['a quote inside a plain field', 'a,b\n1"x,2\n', 'line 2'],
])('%s is refused, naming the line', (_name, text, message) => {
  expect(() => parseCsv(text)).toThrow(message);
});

test('an empty file and a file of only column names hold no record', () => {
  expect(parseCsv('')).toEqual([]);
  expect(parseCsv('a,b\n')).toEqual([]);
});
