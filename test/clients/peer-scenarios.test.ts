import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createVhost } from '../support/vhost.js';
import { openPeer } from './peer.js';
import { playScenario, type Stage } from './player.js';
import { type Scenario, scenarios } from './scenario.js';

// The scenarios of packages/scenarios.json in which a scripted peer takes the service's place. They wait much and work
// little, so several are played beside each other, on a stage each; those that work much come after them.

const mine = scenarios.filter(({ against }) => against === 'peer');
const isLong = ({ client }: Scenario): boolean => client.some((step) => (step.repeat ?? 0) > 100);
const STAGES = 6;

interface OpenStage extends Stage {
  close: () => Promise<void>;
}

async function openStage(): Promise<OpenStage> {
  const vhost = await createVhost();
  const [network, peer] = await Promise.all([startTcpProxy(vhost.url), openPeer(vhost.url)]);
  const close = async (): Promise<void> => {
    await peer.close();
    await network.close();
    await vhost.drop();
  };
  return { network, peer, vhost: vhost.name, close };
}

const ends = new Map<string, Promise<void>>();
let stages: OpenStage[];
beforeAll(async () => {
  stages = await Promise.all(Array.from({ length: STAGES }, openStage));
  const short = mine.filter((scenario) => !isLong(scenario));
  const lanes = stages.map((stage, lane) => {
    let before = Promise.resolve();
    for (const scenario of short.filter((_, index) => index % STAGES === lane)) {
      const end = before.then(() => playScenario(scenario, stage));
      ends.set(scenario.name, end);
      before = end.catch(() => undefined);
    }
    return before;
  });
  let before: Promise<unknown> = Promise.all(lanes);
  for (const scenario of mine.filter(isLong)) {
    const end = before.then(() => playScenario(scenario, stages[0]!));
    ends.set(scenario.name, end);
    before = end.catch(() => undefined);
  }
});
afterAll(async () => {
  await Promise.all(stages.map((stage) => stage.close()));
});

describe('the TypeScript client', () => {
  test.each(mine.map(({ name }) => name))('%s', async (name) => {
    await ends.get(name);
  }, 90_000);
});

test('scenarios have names of their own', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
});
