import { BROKER_FAULTS } from './broker-faults.js';
import { CALLER_FAULTS } from './caller-faults.js';
import { DATABASE_FAULTS } from './database-faults.js';
import { FAILOVER } from './failover.js';
import { type Fault, shortWhile } from './fault.js';
import { PROCESS_FAULTS } from './process-faults.js';
import { REDIS_FAULTS } from './redis-faults.js';

/** Every fault by its name, in the order in which they are brought about. */
export const FAULTS = {
  'nothing (control)': ({ random }) => shortWhile(random),
  ...PROCESS_FAULTS,
  ...BROKER_FAULTS,
  ...DATABASE_FAULTS,
  ...REDIS_FAULTS,
  ...CALLER_FAULTS,
  // Last, since the world goes on with another database.
  ...FAILOVER,
  'nothing, after the failover': ({ random }) => shortWhile(random),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
