import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { tellOfBroker } from '../../src/store/history/tell-of-broker.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 2, onConnectionError: () => {} });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const told = () =>
  database.reader.$queryRaw<{ type: string; state: string; subject: string }[]>`
    SELECT type, data ->> 'state' AS state, data ->> 'subject' AS subject FROM events ORDER BY id`;

test('a finding of an instance is raised once and resolved once, whatever the others find', async () => {
  await tellOfBroker(database, 'one', ['the queue is gone']);
  await tellOfBroker(database, 'one', ['the queue is gone', 'and another']);
  await tellOfBroker(database, 'two', []);
  const raised = { type: 'alert.critical', state: 'raised', subject: 'one' };
  expect(await told()).toEqual([raised]);
  await tellOfBroker(database, 'one', []);
  await tellOfBroker(database, 'one', []);
  expect(await told()).toEqual([raised, { ...raised, state: 'resolved' }]);
});
