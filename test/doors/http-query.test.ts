import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { id, optional, purpose, userId, withDefault } from '../../contracts/fields.js';
import { createQueryReader } from '../../src/doors/http/query.js';

const schema = z.strictObject({
  account_id: optional(id),
  user_id: userId,
  purpose: optional(purpose),
  only_available: withDefault(z.boolean(), false),
  limit: withDefault(z.int().min(1).max(1000), 100),
  share: optional(z.number()),
  cursor: optional(z.string()),
  channel: optional(z.union([z.string().min(1), z.int()])),
});
const read = createQueryReader(schema);

test('texts become what the field takes', () => {
  const fields = read({
    user_id: '7',
    only_available: 'true',
    limit: '20',
    share: '-0.5',
    cursor: '12',
    channel: '34',
  });
  expect(fields).toEqual({ user_id: 7, only_available: true, limit: 20, share: -0.5, cursor: '12', channel: '34' });
  expect(schema.safeParse(fields).success).toBe(true);
});

test('a boolean may be written as Python writes it', () => {
  const spellings = ['true', 'True', 'false', 'False'];
  expect(spellings.map((only_available) => read({ only_available }))).toEqual(
    [true, true, false, false].map((only_available) => ({ only_available })),
  );
});

test('an empty value of an optional field is absent', () => {
  const fields = read({ user_id: '7', limit: '', purpose: '', cursor: '' });
  expect(fields).toEqual({ user_id: 7, limit: null, purpose: null, cursor: null });
  expect(schema.parse(fields)).toMatchObject({ user_id: 7, limit: 100, only_available: false });
});

test.each([
  ['a number in another notation', { user_id: '1e3' }],
  ['a number with a space', { user_id: ' 7' }],
  ['an empty number', { user_id: '' }],
  ['a fraction', { user_id: '1.5' }],
  ['a number beyond the safe ones', { user_id: '9007199254740993' }],
  ['a boolean by another name', { user_id: '7', only_available: 'yes' }],
  ['a repeated field', { user_id: ['7', '7'] }],
  ['an unknown field', { user_id: '7', colour: 'red' }],
  ['the name of something every object has', { user_id: '7', constructor: 'x' }],
])('%s is left for the contract to refuse', (_name, query) => {
  expect(schema.safeParse(read(query)).success).toBe(false);
});
