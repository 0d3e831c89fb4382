import { afterEach, expect, test } from '@jest/globals';
import { clock } from '../../src/clock.js';
import { createOutageTeller } from '../../src/telemetry/outage-teller.js';
import { collectLog } from '../broker/collect-log.js';

const { monotonicMs } = clock;
afterEach(() => {
  clock.monotonicMs = monotonicMs;
});

/** A teller, and what it has said by a clock of the test's own. */
function listen() {
  let seconds = 1_000;
  clock.monotonicMs = () => seconds * 1_000;
  const { log, lines } = collectLog();
  const teller = createOutageTeller({ log, what: 'The server', meanwhile: 'trying again' });
  return {
    teller,
    pass: (more: number) => (seconds += more),
    told: () => lines.map(({ level, message }) => `${level}: ${message}`),
  };
}

test('an outage is logged at once, then once a minute however often it is tried, and when it ends', () => {
  const { teller, pass, told } = listen();
  for (let second = 0; second <= 130; second++) {
    teller.failed('nothing listens there');
    pass(1);
  }
  teller.back();
  const away = 'warn: The server cannot be used: nothing listens there; trying again';
  expect(told()).toEqual([away, away, away, 'info: The server can be used again after 131 s']);
});

test('two connections to it are one outage, over when both are back', () => {
  const { teller, pass, told } = listen();
  teller.failed('lost', 'one');
  teller.failed('lost', 'two');
  pass(5);
  teller.back('one');
  expect(told()).toHaveLength(1);
  teller.back('two');
  expect(told()).toHaveLength(2);
  teller.back('two');
  expect(told()).toHaveLength(2);
});

test('an outage that comes and goes within seconds is logged once; a later one anew', () => {
  const { teller, pass, told } = listen();
  for (let turn = 0; turn < 5; turn++) {
    teller.failed('slow');
    pass(1);
    teller.back();
  }
  expect(told()).toHaveLength(2);
  pass(20);
  teller.failed('gone');
  expect(told()).toHaveLength(3);
});
