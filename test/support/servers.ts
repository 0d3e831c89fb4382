import process from 'node:process';

/** Where the global set-up says the shared servers are. */
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
  return {
    databaseUrl: required('TEST_DATABASE_URL'),
    template: required('TEST_TEMPLATE'),
    redisUrl: required('TEST_REDIS_URL'),
    rabbitmqUrl: required('TEST_RABBITMQ_URL'),
    managementUrl: required('TEST_RABBITMQ_MANAGEMENT_URL'),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this test needs servers, so run it without SKIP_SERVERS`);
  return value;
}
