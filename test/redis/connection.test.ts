import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectRedis, type RedisConnection } from '../../src/redis/connection.js';
import { eventually } from '../support/eventually.js';
import { createFailingRedis, type FailingRedis } from '../support/failing-redis.js';
import { PATIENT_MS } from '../support/redis.js';

let failing: FailingRedis;
let connection: RedisConnection;
let failures: unknown[] = [];
let whenReady = () => {};

beforeAll(async () => {
  failing = await createFailingRedis();
  await nextReady(() => {
    connection = connectRedis({
      url: failing.url,
      purpose: 'jobLocks',
      onFailure: (purpose, error) => failures.push([purpose, error]),
      onReady: () => whenReady(),
      commandTimeoutMs: PATIENT_MS,
    });
  });
});
afterAll(async () => {
  connection.close();
  await failing.drop();
});

beforeEach(async () => {
  failing.resume();
  await eventually('Redis answers', async () => (await connection.attempt((client) => client.ping())) === 'PONG');
  failures = [];
});

/** Resolves when the connection stands again after `act`. */
function nextReady(act: () => unknown): Promise<void> {
  return new Promise((resolve) => {
    whenReady = resolve;
    void act();
  });
}

/** Holds up the event loop, as a collection of garbage or a busy machine does. */
function holdUp(ms: number): void {
  const over = performance.now() + ms;
  while (performance.now() < over);
}

test('uses the database of its purpose, counted from the one in the URL', async () => {
  expect(connection.database).toBe(failing.database + 4);
  const info = await connection.attempt((client) => client.client('INFO'));
  expect(info).toContain(` db=${failing.database + 4} `);
});

test('an answer that came while this process was held up counts', async () => {
  const impatient = connectRedis({
    url: failing.behind,
    purpose: 'locks',
    onFailure: (_purpose, error) => failures.push(error),
  });
  try {
    await eventually('it is connected', () => impatient.client.status === 'ready');
    for (let round = 0; round < 5; round++) {
      const answer = impatient.attempt((client) => client.ping());
      // It is on its way.
      await new Promise(setImmediate);
      holdUp(400);
      expect(await answer).toBe('PONG');
    }
    expect(failures).toEqual([]);
  } finally {
    impatient.close();
  }
});

test('stays away from a server that has not its database, instead of using another', async () => {
  const [, databases] = (await connection.attempt((client) => client.config('GET', 'databases'))) as [string, string];
  const url = new URL(failing.url);
  url.pathname = databases;
  const refused: unknown[] = [];
  let everReady = false;
  const astray = connectRedis({
    url: url.href,
    purpose: 'locks',
    onFailure: (_purpose, error) => refused.push(error),
    onReady: () => (everReady = true),
  });
  try {
    // Twice: it comes back, for the server may be given more databases.
    await eventually('it is refused again', () => refused.length > 1);
    expect(refused).toEqual(refused.map(() => expect.objectContaining({ message: 'ERR DB index is out of range' })));
    expect(await astray.attempt((client) => client.set('astray', '1'))).toBeNull();
    expect(everReady).toBe(false);
  } finally {
    astray.close();
  }
});

test('gives a command up that takes too long, and then leaves Redis alone for a while', async () => {
  failing.hang();
  const before = performance.now();
  expect(await connection.attempt((client) => client.ping())).toBeNull();
  const first = performance.now() - before;
  expect(first).toBeLessThan(5_000);
  // Resting, it does not even try.
  let tried = 0;
  const count = () => Promise.resolve((tried += 1));
  for (let call = 0; call < 100; call++) expect(await connection.attempt(count)).toBeNull();
  expect(tried).toBe(0);
  expect(failures).toHaveLength(1);
  expect(failures[0]).toEqual(['jobLocks', expect.objectContaining({ message: 'Command timed out' })]);
  failing.resume();
});

test('a connection that is lost is made anew, and told', async () => {
  await failing.stop();
  expect(await connection.attempt((client) => client.ping())).toBeNull();
  await nextReady(() => failing.start());
  expect(await connection.attempt((client) => client.ping())).toBe('PONG');
});

test('a fault of the commands is noted and answered with nothing', async () => {
  expect(await connection.attempt((client) => client.call('NO-SUCH-COMMAND'))).toBeNull();
  expect(failures).toHaveLength(1);
});
