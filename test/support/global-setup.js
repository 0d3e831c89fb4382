import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareRelease } from '../../scripts/servers/rabbitmq-release.mjs';
import { startServers } from '../../scripts/servers.mjs';
import { prepareTemplate } from './template.js';

/** A broker of another version has data of its own. */
const { RABBITMQ } = process.env;
export const DIRECTORY = path.resolve(
  import.meta.dirname,
  '../../.local',
  RABBITMQ ? `test-rabbitmq-${RABBITMQ}` : 'test',
);

/**
 * Brings up the servers that the tests share and prepares the database that each test file gets a copy of.
 * SKIP_SERVERS=1: pure tests, none is needed. KEEP_SERVERS=1: leave them running, so that the next run starts at once.
 * TEST_DATABASE_URL, TEST_REDIS_URL and TEST_RABBITMQ_URL name servers to use instead; not the plain names, because
 * Redis databases are flushed, and a developer's shell may well point at something that matters.
 * RABBITMQ chooses the broker, as scripts/servers.mjs says: also that of tests which start one of their own.
 */
export default async function setUp() {
  await prepareRelease();
  if (process.env.SKIP_SERVERS) return;
  registerRun();
  const urls = await startServers(DIRECTORY, {
    disposable: true,
    given: {
      DATABASE_URL: process.env.TEST_DATABASE_URL,
      REDIS_URL: process.env.TEST_REDIS_URL,
      RABBITMQ_URL: process.env.TEST_RABBITMQ_URL,
      RABBITMQ_MANAGEMENT_URL: process.env.TEST_RABBITMQ_MANAGEMENT_URL,
    },
  });
  process.env.TEST_SERVERS = JSON.stringify({
    databaseUrl: urls.DATABASE_URL,
    template: await prepareTemplate(urls.DATABASE_URL),
    redisUrl: urls.REDIS_URL,
    rabbitmqUrl: urls.RABBITMQ_URL,
    managementUrl: urls.RABBITMQ_MANAGEMENT_URL,
  });
}

/** Several runs may share the servers; the last to leave stops them. */
function registerRun() {
  const runs = path.join(DIRECTORY, 'runs');
  mkdirSync(runs, { recursive: true });
  writeFileSync(path.join(runs, String(process.pid)), '');
  if (process.env.KEEP_SERVERS) writeFileSync(path.join(DIRECTORY, 'keep'), '');
}
