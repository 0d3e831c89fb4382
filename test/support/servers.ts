import process from 'node:process';

/** Where the servers are that test files share; written by the global set-up. */
export interface TestServers {
  databaseUrl: string;
  /** Name of the migrated database to copy. */
  template: string;
  redisUrl: string;
  rabbitmqUrl: string;
  managementUrl: string;
}

/** The shared servers; fails when the global set-up was skipped. */
export function testServers(): TestServers {
  const { TEST_SERVERS } = process.env;
  if (!TEST_SERVERS) throw new Error('this test needs servers: run it without SKIP_SERVERS');
  return JSON.parse(TEST_SERVERS) as TestServers;
}
