import { expect, test } from '@jest/globals';
import { findStuckDeadLetters } from '../../src/decide/messages/find-stuck-dead-letters.js';

const queueOf = (messages_dlx?: number) => [{ name: 'q', ...(messages_dlx !== undefined && { messages_dlx }) }];

test.each([
  { before: 0, now: 0, stuck: false },
  { before: 0, now: 9, stuck: false },
  { before: 9, now: 0, stuck: false },
  { before: 9, now: 8, stuck: false },
  { before: 9, now: 9, stuck: true },
  { before: 9, now: 10, stuck: true },
  { before: undefined, now: 9, stuck: false },
  { before: 9, now: undefined, stuck: false },
  { before: undefined, now: undefined, stuck: false },
])('$before dead letters at one look, $now at the next: stuck $stuck', ({ before, now, stuck }) => {
  expect(findStuckDeadLetters(queueOf(now), queueOf(before))).toEqual(stuck ? queueOf(now) : []);
});

test('a queue is compared with itself, and one that is new with nothing', () => {
  const before = [
    { name: 'a', messages_dlx: 1 },
    { name: 'b', messages_dlx: 9 },
  ];
  const now = [
    { name: 'b', messages_dlx: 8 },
    { name: 'c', messages_dlx: 3 },
    { name: 'a', messages_dlx: 1 },
  ];
  expect(findStuckDeadLetters(now, before)).toEqual([{ name: 'a', messages_dlx: 1 }]);
});
