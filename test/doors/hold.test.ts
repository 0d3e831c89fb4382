import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ENVELOPE } from '../../contracts/envelope.js';
import { OPERATIONS, type OperationName } from '../../contracts/operations.js';
import { PARKED } from '../../contracts/topology.js';
import { eventually } from '../support/eventually.js';
import { type OpenService, openService } from '../conformance/open-service.js';

/** No message may keep all others from their turn for longer; on a machine of its own. */
const MAX_HOLD_MS = 50;
/** Delay that the histogram of the process counts even when nothing holds the process. */
const RESOLUTION_MS = 10;
const TRIES = 8;
/** Room for the frame around a text. */
const TEXT_LENGTH = ENVELOPE.maxBodyBytes - 512;

/** Each is repeated to the full length of a body; together they press every pattern and every loop at the door. */
const UNITS: Record<string, string> = {
  'runs just too short for a session': `${'a'.repeat(299)} `,
  'runs just too short for a piece': `${'a/'.repeat(20)}${'a'.repeat(79)} `,
  'one long run with slashes': `${'a'.repeat(70)}/`,
  'folds that are never enough': `${`${'a'.repeat(24)}\n`.repeat(2)}!`,
  'folds just too short': `${'a'.repeat(23)}\n`,
  'escaped line ends': '\\n',
  backslashes: '\\',
  'printed bytes, one too few': `${'\\x41aaaaaaaa'.repeat(11)}"`,
  'printed bytes among line ends': `\\x41${'\\n'.repeat(2_000)}`,
  'a dump, one byte too few': `${'abcdef '.repeat(14)}. `,
  'tokens just too short': `123456789012:${'a'.repeat(29)} `,
  'phone numbers that are none': '+1(. 2) -',
  'the word phone': 'phone              1 1 1 ',
  'the word bearer': `bearer${' '.repeat(4_000)}`,
  'secrets without a value': 'session="',
  'addresses without credentials': '://',
  'credentials without a host': 'a:b@',
  dots: '..:',
  'percent signs': '%2B%2',
  quotes: '"',
  'wide characters': 'é\u{1F600}\uff0b',
  'a bit of all': 'aA0+/_-=\\n "\':@%2B. ',
};

const fill = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
/** JSON text of `{"<key>": "<text>"}` that just fits. */
const asJson = (build: (text: string) => object, unit: string): string => {
  for (let length = TEXT_LENGTH; ; length = Math.floor(length * 0.8)) {
    const json = JSON.stringify(build(fill(unit, length)));
    if (Buffer.byteLength(json) <= ENVELOPE.maxBodyBytes) return json;
  }
};
const many = (most: number, entry: (n: number) => string): string => {
  const entries: string[] = [];
  for (let n = 0, length = 0; n < most; n++) {
    const next = entry(n);
    length += next.length + 1;
    if (length > TEXT_LENGTH) break;
    entries.push(next);
  }
  return entries.join();
};
const usage = (channels: string): string =>
  `{"account_id": "${randomUUID()}", "service_name": "a", "usage_stats": {${channels}}}`;

/** By what they are: an operation and a body that is refused and parked. */
function* hostile(): Generator<[string, OperationName, string]> {
  for (const [name, unit] of Object.entries(UNITS)) {
    yield [`no JSON: ${name}`, 'action.check', fill(unit, TEXT_LENGTH)];
    yield [`a key: ${name}`, 'action.check', asJson((text) => ({ [text]: 1 }), unit)];
    yield [
      `a value: ${name}`,
      'action.check',
      asJson((text) => ({ service_name: text, note: text.slice(0, 99) }), unit),
    ];
    const row = JSON.stringify(fill(unit, 1_000));
    yield [`many values: ${name}`, 'query.status', `{"rows": [${many(10_000, () => row)}]}`];
  }
  yield ['many numbers', 'account.allocate', `{"user_id": [${many(39_000, () => '0')}]}`];
  yield ['too many numbers', 'account.allocate', `{"user_id": [${many(200_000, () => '0')}]}`];
  yield ['many empty arrays', 'account.allocate', `{"user_id": [${many(39_000, () => '[]')}]}`];
  yield ['many unknown fields', 'query.status', `{${many(1_999, (n) => `"k${n}": "${'a'.repeat(80)}"`)}}`];
  yield ['too many fields', 'query.status', `{${many(100_000, (n) => `"k${n}": 0`)}}`];
  yield [
    'many channels with bad counts',
    'account.release',
    usage(`"channel_usage": {${many(1_999, (n) => `"c${n}": -1`)}}`),
  ];
  yield [
    'many bad channels',
    'account.release',
    usage(`"channels_used": [${many(1_000, () => '"!!"')}], "invites_sent": -1`),
  ];
}

let service: OpenService;
let parked = 0;
beforeAll(async () => {
  service = await openService({ LOG_LEVEL: 'error' });
});
afterAll(() => service.close());

/** How much longer this process waits for its work than it works: 1 on a machine of its own. */
function measureMachine(): number {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  while (performance.now() - wall < 100);
  const used = process.cpuUsage(cpu);
  return Math.max(1, (performance.now() - wall) / ((used.user + used.system) / 1_000));
}

/** The longest hold of the service's event loop since the last call, milliseconds. */
async function readHold(): Promise<number> {
  const metrics = await (await fetch(`${service.service.httpUrl}/metrics`)).text();
  const [, seconds] = /^nodejs_eventloop_lag_max_seconds(?:\{[^}]*\})? (\S+)$/m.exec(metrics) ?? [];
  return Number(seconds) * 1_000 - RESOLUTION_MS;
}

const parkedCount = async (): Promise<number> => (await service.rpc.channel.checkQueue(PARKED.name)).messageCount;

/** Sends it through both doors, and waits until it is answered and parked; answers the hold. */
async function holdOf(operation: OperationName, body: string): Promise<number> {
  await readHold();
  const { reply } = await service.rpc.ask(operation, Buffer.from(body));
  expect(reply).toMatchObject({ success: false });
  parked += 1;
  await eventually('it is parked', async () => (await parkedCount()) === parked);
  const { http } = OPERATIONS[operation];
  if (http.method === 'POST') {
    const url = `${service.service.httpUrl}/api/v1/account-manager${http.path.replace('{account_id}', randomUUID())}`;
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  return readHold();
}

test('no message holds the others up', async () => {
  await holdOf('action.check', '{}');
  const holds: [string, number][] = [];
  for (const [name, operation, body] of hostile()) {
    let best = Number.POSITIVE_INFINITY;
    // The machine is measured with each try: other tests come and go beside this one.
    for (let tries = 0; tries < TRIES && best > MAX_HOLD_MS; tries++) {
      const before = measureMachine();
      const hold = await holdOf(operation, body);
      best = Math.min(best, hold / Math.max(before, measureMachine()));
    }
    holds.push([name, Math.round(best)]);
  }
  expect(holds.filter(([, ms]) => ms > MAX_HOLD_MS)).toEqual([]);
}, 600_000);
