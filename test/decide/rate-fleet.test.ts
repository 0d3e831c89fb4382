import { expect, test } from '@jest/globals';
import { rateFleet } from '../../src/decide/condition/rate-fleet.js';

test.each([
  [0, 0, 'healthy'],
  [100, 100, 'healthy'],
  [80, 100, 'healthy'],
  [79, 100, 'degraded'],
  [50, 100, 'degraded'],
  [49, 100, 'unhealthy'],
  [0, 1, 'unhealthy'],
])('a fleet with %d healthy accounts of %d is %s', (healthy, total, expected) => {
  expect(rateFleet(healthy, total)).toBe(expected);
});
