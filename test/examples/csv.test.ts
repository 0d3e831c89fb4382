import { expect, test } from '@jest/globals';
import { parseCsv } from '../../examples/csv.js';

test('records are told by their columns, with the line in which each ends', () => {
  const text = '\ufeffphone,note\r\n+1,"a ""b"", c"\r\n\r\n+2,"two\nlines"\r\n+3,';
  expect(parseCsv(text)).toEqual([
    { line: 2, fields: { phone: '+1', note: 'a "b", c' } },
    { line: 5, fields: { phone: '+2', note: 'two\nlines' } },
    { line: 6, fields: { phone: '+3', note: '' } },
  ]);
  expect(parseCsv('')).toEqual([]);
});

test.each([
  ['a field too many', 'a,b\n1,2\n1,2,3\n', /^line 3: /],
  ['an open quote', 'a,b\n1,"2\n', /^line [23]: /],
])('%s is refused, naming the line', (_name, text, message) => {
  expect(() => parseCsv(text)).toThrow(message);
});
