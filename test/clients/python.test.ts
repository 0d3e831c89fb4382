import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createDatabase } from '../support/database.js';
import { startFakeTelegram } from '../support/fake-telegram.js';
import { findPython, runPython } from '../support/python.js';
import { createRedis } from '../support/redis.js';
import { connectRpc } from '../support/rpc.js';
import { testServers } from '../support/servers.js';
import { startService } from '../support/service.js';
import { createVhost } from '../support/vhost.js';

// The Python client's own tests, with Debian's packages; its scenarios are those of packages/scenarios.json.

const PACKAGE = path.resolve(import.meta.dirname, '../../packages/python');
const TELETHON_EXAMPLE = path.resolve(import.meta.dirname, '../../examples/python/telethon_join.py');
const python = findPython(
  ['aio_pika', 'pika', 'pytest', 'telethon'],
  ['python3-aio-pika', 'python3-pika', 'python3-pytest', 'python3-telethon'],
);
const withPython = python === null ? test.skip : test;

jest.setTimeout(180_000);

interface Scenario {
  fail_point?: { operation: string; point: string; message_id: string };
}

/** A service of its own, which kills itself where a scenario says and is then started again. */
interface Opened {
  url: string;
  close: () => Promise<void>;
}

async function openService(failPoint: string): Promise<Opened> {
  const [database, redis, vhost] = await Promise.all([createDatabase(), createRedis(), createVhost()]);
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RABBITMQ_URL: vhost.url,
    RABBITMQ_MANAGEMENT_URL: vhost.managementUrl,
    LIMITS_FILE: path.resolve(import.meta.dirname, '../flows/no-pauses.json'),
    LOG_LEVEL: 'warn',
  };
  const first = await startService({ ...env, NODE_ENV: 'test', FAIL_POINT: failPoint });
  let current = Promise.resolve(first);
  first.process.once('exit', (_code, signal) => {
    if (signal !== 'SIGKILL') return;
    current = startService(env);
    current.catch(() => undefined); // `close` tells
  });
  return {
    url: vhost.url,
    close: async () => {
      await (await current).stop();
      await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
    },
  };
}

const { scenarios } = JSON.parse(readFileSync(path.join(PACKAGE, '../scenarios.json'), 'utf8')) as {
  scenarios: Scenario[];
};
const [failPoint, ...others] = scenarios.flatMap(({ fail_point: one }) =>
  one === undefined ? [] : [`${one.operation}:${one.point}:${one.message_id}`],
);

let service: Opened | undefined;
beforeAll(async () => {
  if (python !== null) service = await openService(failPoint ?? '');
});
afterAll(() => service?.close());

/** The answer to `help.getConfig` in the layer that Debian's Telethon speaks. */
const TELETHON_CONFIG = `
import inspect
from telethon.tl import types
given = {name: 0 for name, one in inspect.signature(types.Config.__init__).parameters.items() if one.default is one.empty}
given |= {"test_mode": False, "this_dc": 2, "dc_options": [], "dc_txt_domain_name": "", "me_url_prefix": "https://t.me/"}
del given["self"]
print(bytes(types.Config(**given)).hex())
`;

withPython('the example with Telethon hands over what Telethon raises on a real connection', async () => {
  const telegram = await startFakeTelegram();
  const key = Buffer.concat([Buffer.of(1), randomBytes(255)]);
  const config = Buffer.from((await runPython(python ?? '', ['-c', TELETHON_CONFIG])).trim(), 'hex');
  await telegram.addKey(key, {
    answers: {
      'help.GetConfig': { getBytes: () => config },
      'users.GetUsers': { error: [401, 'SESSION_PASSWORD_NEEDED'] },
      'messages.ImportChatInvite': { error: [420, 'FLOOD_WAIT_30'] },
    },
  });
  const head = Buffer.of(2, 127, 0, 0, 1, telegram.port >> 8, telegram.port & 255);
  const session_data = `1${Buffer.concat([head, key]).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
  const { url } = service ?? { url: '' };
  const rpc = await connectRpc(url);
  try {
    const user_id = randomInt(1_000_000, 2_000_000_000);
    const { reply } = await rpc.ask('admin.register', { accounts: [{ user_id, phone: `+${user_id}`, session_data }] });
    expect(reply).toMatchObject({ accounts: [{ outcome: 'created' }] });
    const printed = await runPython(
      python ?? '',
      [TELETHON_EXAMPLE, String(user_id), 'https://t.me/+AbCdEfGhIjKlMn12'],
      {
        RABBITMQ_URL: url,
        TELEGRAM_API_ID: '1',
        TELEGRAM_API_HASH: 'hash',
        PYTHONPATH: path.join(PACKAGE, 'src'),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    );
    expect(printed).toBe('FloodWaitError: flood_wait; the account is flood_wait; try later\n');
    expect(telegram.calls).toContain('messages.ImportChatInvite');
  } finally {
    await rpc.close();
    await telegram.close();
  }
});

withPython('both Python clients pass their tests and every scenario', async () => {
  // A service fails at one point only.
  expect(others).toEqual([]);
  const { rabbitmqUrl, managementUrl } = testServers();
  const given = {
    rabbitmq_url: rabbitmqUrl,
    management_url: managementUrl,
    service_url: service?.url,
  };
  const printed = await runPython(python ?? '', ['-m', 'pytest', '-q', '--durations=5', PACKAGE], {
    ACCOUNT_MANAGER_TEST: JSON.stringify(given),
    PYTHONPATH: path.join(PACKAGE, 'src'),
    PYTHONDONTWRITEBYTECODE: '1',
  });
  expect(printed).toMatch(/\d+ passed/);
  expect(printed).not.toMatch(/\d+ skipped/);
});
