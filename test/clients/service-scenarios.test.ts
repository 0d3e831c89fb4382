import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { once } from 'node:events';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type Installation, startInstallation } from '../flows/installation.js';
import { playScenario } from './player.js';
import { scenarios } from './scenario.js';
import { waitAtMost } from '../../src/broker/wait-at-most.js';

// The scenarios of packages/scenarios.json against the real service. The scenario that kills it comes last.

const mine = scenarios.filter(({ against }) => against === 'service');
const ordered = [...mine.filter((scenario) => !scenario.fail_point), ...mine.filter((scenario) => scenario.fail_point)];

/** Where the service was never killed nothing is restarted. */
const RESTART_MS = 60_000;

let installation: Installation;
let network: TcpProxy;
let restarted: Promise<unknown>;
beforeAll(async () => {
  installation = await startInstallation();
  network = await startTcpProxy(installation.env.RABBITMQ_URL);
  const point = ordered.at(-1)?.fail_point;
  const service = await installation.start({
    FAIL_POINT: point ? `${point.operation}:${point.point}:${point.message_id}` : '',
    NODE_ENV: 'test',
  });
  restarted = once(service.process, 'exit').then(() => installation.start());
  restarted.catch(() => undefined);
});
afterAll(async () => {
  // The last scenario may be over before the second service is ready, which needs its database until then.
  await waitAtMost(restarted, RESTART_MS);
  await installation.close();
  await network.close();
});

let user = 5_000_000;
describe('the TypeScript client', () => {
  test.each(ordered.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (_, scenario) => {
      const accounts = await installation.register(++user, scenario.fleet ?? 0);
      await playScenario(scenario, { network, vhost: installation.vhost, known: { user, accounts } });
    },
    90_000,
  );
});
