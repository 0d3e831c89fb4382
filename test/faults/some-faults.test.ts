import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CloudEvent } from '../../contracts/events.js';
import { FAULTS, type FaultName } from './faults.js';
import { judge, type Violation } from './judge.js';
import { finalReplyOf, type Ledger } from './ledger.js';
import { type FaultRun, LIMITS, runFault } from './run-fault.js';
import { openWorld, type World } from './world.js';

// The short selection; `make faults` runs them all.

const SEED = 7;
const SELECTION: FaultName[] = [
  'every AMQP connection closed',
  'PostgreSQL restarted at once',
  'network to PostgreSQL swallows what comes back',
];

let world: World;
let last: FaultRun;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

test.each(SELECTION)('%s', async (fault) => {
  last = await runFault(world, fault, FAULTS[fault], SEED);
  expect(last.violations).toEqual([]);
  expect(last.requests).toBeGreaterThan(20);
  expect(last.events).toBeGreaterThan(20);
}, 180_000);

describe('a judge that finds nothing could find something', () => {
  const judged = (spoil: (ledger: Ledger) => void): Promise<Violation[]> => {
    // Not structuredClone: what it makes is of another realm here, and equal to nothing.
    const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
    const { requests, events, now } = last.ledger;
    const ledger = { requests: new Map(copy([...requests])), events: copy(events), now };
    spoil(ledger);
    return judge(world, ledger, last.userIds, LIMITS);
  };
  const release = ({ requests }: Ledger) => {
    const found = [...requests.values()].find(
      (request) =>
        request.operation === 'account.release' && request.confirmed > 0 && finalReplyOf(request)?.success === true,
    );
    if (found === undefined) throw new Error('no release succeeded');
    return found;
  };
  const swapped = (events: CloudEvent[]): CloudEvent[] => [...events].reverse();

  test.each<[string, RegExp, (ledger: Ledger) => void]>([
    ['nothing is wrong', /^$/, () => undefined],
    [
      'an effect nobody was promised',
      /I3 releases: .* never answered/,
      (ledger) => void ledger.requests.delete(release(ledger).messageId),
    ],
    [
      'a request without an answer',
      /I3 account\.release .*never answered/,
      (ledger) => void release(ledger).answers.splice(0),
    ],
    [
      'two answers to one request',
      /I3 account\.release .*then/,
      (ledger) => void release(ledger).answers.push({ at: 0, reply: { success: true, counted: 0 } }),
    ],
    ['an event that never came', /I4 .* never came/, (ledger) => void ledger.events.splice(ledger.events.length - 1)],
    ['events out of order', /I4 .*out of order/, (ledger) => void (ledger.events = swapped(ledger.events))],
    [
      'an old holder who was let',
      /I1 .*under fence -1 succeeded/,
      (ledger) => {
        release(ledger).body.fence = -1;
        release(ledger).sentAt = [ledger.now()];
      },
    ],
  ])('%s', async (_, expected, spoil) => {
    const found = (await judged(spoil)).map(({ invariant, what }) => `${invariant} ${what}`);
    expect(found.join('\n')).toMatch(expected);
  });
});
