import { expect, test } from '@jest/globals';
import { decideClaim, isOverdue, type OpenRun, retryDelayMs } from '../../src/decide/jobs/claim-run.js';

const NOW = 1_000_000;
const open = (run: Partial<OpenRun>): OpenRun => ({
  scheduledFor: 900,
  leaseUntil: NOW,
  working: true,
  requested: false,
  ...run,
});

test.each([
  ['nothing was ever run', null, null, 900, 'start'],
  ['the one before was run', null, 800, 900, 'start'],
  ['it was run', null, 900, 900, 'done'],
  ['a later one was run, such as one by hand', null, 950, 900, 'done'],
  ['another works on it', open({ leaseUntil: NOW + 1 }), 900, 900, 'busy'],
  ['another works on the one before', open({ scheduledFor: 800, leaseUntil: NOW + 1 }), 800, 900, 'busy'],
  ['it has failed and rests', open({ working: false, leaseUntil: NOW + 1 }), 900, 900, 'busy'],
  ['its worker has died', open({}), 900, 900, 'take_over'],
  ['it was asked for after the occurrence', open({ scheduledFor: 950, requested: true }), 950, 900, 'take_over'],
  ['one asked for long ago is open', open({ scheduledFor: 100, requested: true }), 100, 900, 'take_over'],
  ['the worker of the one before has died', open({ scheduledFor: 800 }), 800, 900, 'replace'],
] as const)('%s', (_what, run, latestScheduledFor, occurrence, claim) => {
  expect(decideClaim({ open: run, latestScheduledFor }, occurrence, NOW)).toBe(claim);
});

test('rests grow up to ten minutes', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 100].map(retryDelayMs)).toEqual([
    15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000,
  ]);
});

test('a job is overdue after twice its cadence', () => {
  expect(isOverdue(NOW - 600_000, 300_000, NOW)).toBe(false);
  expect(isOverdue(NOW - 600_001, 300_000, NOW)).toBe(true);
});
