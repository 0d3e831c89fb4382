import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { groupEvents } from '../../src/broker/group-events.js';

const events = fc
  .array(fc.option(fc.constantFrom('a', 'b', 'c')), { maxLength: 60 })
  .map((accounts) => accounts.map((accountId, id) => ({ id, accountId })));

test('no group holds two events of one account, none is lost, and an account keeps its order', () => {
  fc.assert(
    fc.property(events, (given) => {
      const groups = groupEvents(given);
      for (const group of groups) {
        const accounts = group.flatMap(({ accountId }) => accountId ?? []);
        expect(new Set(accounts).size).toBe(accounts.length);
      }
      expect(
        groups
          .flat()
          .map(({ id }) => id)
          .sort((a, b) => a - b),
      ).toEqual(given.map(({ id }) => id));
      for (const account of ['a', 'b', 'c']) {
        const ids = groups
          .flat()
          .filter(({ accountId }) => accountId === account)
          .map(({ id }) => id);
        expect(ids).toEqual([...ids].sort((a, b) => a - b));
      }
    }),
  );
});

test('takes as few groups as the busiest account has events', () => {
  expect(groupEvents([])).toEqual([]);
  const given = ['a', 'b', 'a', null, 'a', 'b', null].map((accountId, id) => ({ id, accountId }));
  expect(groupEvents(given).map((group) => group.map(({ id }) => id))).toEqual([[0, 1, 3, 6], [2, 5], [4]]);
});
