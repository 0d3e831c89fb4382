import { expect, test } from '@jest/globals';
import {
  compareSightings,
  type ConsumerSighting,
  isBeyondMending,
  isDeaf,
} from '../../src/decide/messages/judge-consumer.js';

const usual: ConsumerSighting = {
  state: 'registered',
  delivered: 7,
  isFull: false,
  waiting: 0,
  consumers: 2,
  probed: true,
  unheard: 0,
  renewals: 0,
};
const stuck = { waiting: 3 };

test.each<[string, Partial<ConsumerSighting>, Partial<ConsumerSighting> | null, boolean]>([
  ['idle', {}, {}, false],
  ['seen for the first time', stuck, null, false],
  ['unknown to the broker', { consumers: 0, waiting: 1 }, null, true],
  ['a queue told as without anything, once', { consumers: 0, waiting: 0 }, null, false],
  ['a queue told as without anything, twice', { consumers: 0, waiting: 0 }, { consumers: 0 }, true],
  ['with messages before it at two looks, and none delivered', stuck, stuck, true],
  ['with messages before it at one look', stuck, {}, false],
  ['with messages before it, and some delivered', { ...stuck, delivered: 8 }, stuck, false],
  ['that heard none of two probes', { unheard: 2 }, {}, true],
  ['that did not hear one, which another may have had', { unheard: 1 }, {}, false],
  ['paused, that heard none', { state: 'paused', unheard: 2 }, {}, false],
  ['full', { ...stuck, isFull: true }, stuck, false],
  ['full a moment ago', stuck, { ...stuck, isFull: true }, false],
  ['paused', { ...stuck, state: 'paused', consumers: 0 }, stuck, false],
  ['away', { ...stuck, state: 'away', consumers: 0 }, stuck, false],
  ['just registered', stuck, { ...stuck, state: 'away' }, false],
])('a consumer %s', (_how, now, before, deaf) => {
  expect(isDeaf({ ...usual, ...now }, before && { ...usual, ...before })).toBe(deaf);
});

test('looks at which nothing was heard are counted in a row', () => {
  const before = { ...usual, unheard: 1 };
  const unheardAt = (now: ConsumerSighting, then: ConsumerSighting | null) => compareSightings(now, then).unheard;
  expect(unheardAt(usual, before)).toBe(2);
  expect(unheardAt({ ...usual, delivered: 8 }, before)).toBe(0);
  expect(unheardAt({ ...usual, isFull: true }, before)).toBe(0);
  expect(unheardAt({ ...usual, state: 'paused' }, before)).toBe(0);
  expect(unheardAt(usual, { ...before, state: 'away' })).toBe(0);
  expect(unheardAt(usual, { ...before, probed: false })).toBe(0);
  expect(unheardAt(usual, null)).toBe(0);
});

test('a consumer is beyond mending until it hears something', () => {
  const before = { ...usual, renewals: 2 };
  expect(isBeyondMending({ ...usual, ...compareSightings(usual, before) })).toBe(true);
  const heard = { ...usual, delivered: 8 };
  expect(isBeyondMending({ ...heard, ...compareSightings(heard, before) })).toBe(false);
});
