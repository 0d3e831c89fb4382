import { expect, test } from '@jest/globals';
import {
  judgeBrokerFault,
  judgeDatabaseFault,
  judgeListenFault,
  judgeRedisFault,
} from '../../src/decide/start/judge-faults.js';
import { nameServer } from '../../src/decide/start/name-server.js';

const fault = (message: string, code?: string | number) => Object.assign(new Error(message), { code });

test.each<[string, unknown, boolean, RegExp]>([
  ['a missing database', fault('database "x" does not exist', '3D000'), true, /"accounts" does not exist.*migrate/],
  ['a wrong password', fault('password authentication failed for user "app"', '28P01'), true, /refuses the user/],
  ['a missing right', fault('permission denied for table leases', '42501'), true, /lacks a right: permission denied/],
  ['a starting server', fault('the database system is starting up', '57P03'), false, /starting up/],
  ['a full server', fault('sorry, too many clients already', '53300'), false, /too many clients/],
  ['a stand-by', fault('the database is read-only'), false, /read-only/],
  ['several addresses', new AggregateError([fault('', 'ECONNREFUSED')], ''), false, /nothing listens there/],
  ['silence', fault('Connection terminated due to connection timeout'), false, /does not answer/],
  ['a certificate', fault('certificate has expired', 'CERT_HAS_EXPIRED'), true, /certificate is refused: .*expired/],
  ['an error within a wrapper', new Error('outer', { cause: fault('inner', '28000') }), true, /: inner/],
  ['a value that is no error', 'gone', false, /gone/],
])('PostgreSQL, %s', (_name, error, isLasting, cause) => {
  expect(judgeDatabaseFault(error, 'accounts')).toEqual({ isLasting, cause: expect.stringMatching(cause) });
});

const refused = (text: string) => fault(`Handshake terminated by server: 403 (ACCESS-REFUSED) with message "${text}"`);
const notOpened = fault('Expected ConnectionOpenOk; got <ConnectionClose channel:0>');

test.each<[string, unknown, string | null, boolean, RegExp]>([
  ['a missing vhost', notOpened, 'NOT_ALLOWED - vhost nope not found', true, /vhost "nope" does not exist/],
  ['no permission', notOpened, "NOT_ALLOWED - access to vhost 'a' refused for user 'limited'", true, /set_permissions/],
  [
    'a limit',
    notOpened,
    "NOT_ALLOWED - access to vhost 'a' refused for user 'b': connection limit (1) is reached",
    false,
    /limit/,
  ],
  [
    'a vhost that is down',
    notOpened,
    "INTERNAL_ERROR - access to vhost 'a' refused: vhost 'a' is down",
    false,
    /is down/,
  ],
  ['a vhost, and no reason', notOpened, null, true, /does not open the vhost/],
  ['a password', refused('ACCESS_REFUSED - Login was refused using PLAIN'), null, true, /user or the password/],
  [
    'a broker that stops',
    fault('Connection closed: 320 (CONNECTION-FORCED) with message "CONNECTION_FORCED - x"'),
    null,
    false,
    /x \(320\)/,
  ],
  [
    'the end of a socket',
    fault('Socket closed abruptly during opening handshake'),
    null,
    false,
    /closes the connection/,
  ],
  ['another protocol', fault('Invalid frame'), null, true, /does not speak AMQP/],
])('RabbitMQ, %s', (_name, error, refusal, isLasting, cause) => {
  expect(judgeBrokerFault(error, refusal)).toEqual({ isLasting, cause: expect.stringMatching(cause) });
});

test.each<[string, string, boolean, RegExp]>([
  ['a missing database', 'ERR DB index is out of range', true, /no database 16: .* databases 13 to 16 are used/],
  ['a cluster', 'ERR SELECT is not allowed in cluster mode', true, /is a cluster/],
  ['a wrong password', 'WRONGPASS invalid username-password pair', true, /refuses the user or the password/],
  ['no password', 'NOAUTH Authentication required.', true, /REDIS_URL has none/],
  ['a server that loads', 'LOADING Redis is loading the dataset in memory', false, /loading/],
])('Redis, %s', (_name, message, isLasting, cause) => {
  expect(judgeRedisFault(fault(message), [13, 16])).toEqual({ isLasting, cause: expect.stringMatching(cause) });
});

test('why HTTP cannot listen is never a matter of waiting, and one line', () => {
  for (const code of ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EELSE']) {
    const { isLasting, cause } = judgeListenFault(fault('two\nlines', code), '::1', 80);
    expect(isLasting).toBe(true);
    expect(cause).not.toContain('\n');
  }
});

test('a server is named by where its URLs lead, without their secrets', () => {
  expect(nameServer('RabbitMQ', 'amqps://u:secret@one/v,amqps://u:secret@two:5673/v')).toBe(
    'RabbitMQ at one:5671, two:5673',
  );
  expect(nameServer('PostgreSQL', 'postgresql:///x?host=/run/postgresql')).toBe('PostgreSQL at /run/postgresql');
});
