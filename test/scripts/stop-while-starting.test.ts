import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { beforeAll, expect, test } from '@jest/globals';
import { buildService } from '../support/build-service.js';

// With a configuration that is no good: a process that had got as far as reading it would say so, and exit 1.

/** Says when SIGTERM has a handler. */
const TELL = `process.on('newListener', (name) => name === 'SIGTERM' && process.stdout.write('heard'))`;
const NAMESPACE = ['--pid', '--fork', '--kill-child'];
const mayUnshare = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;

let main: string;
beforeAll(async () => {
  main = await buildService();
});

async function stopAtOnce(command: string, args: string[], pidOf: (child: ChildProcess) => number) {
  const service = ['--enable-source-maps', '--import', `data:text/javascript,${TELL}`, main];
  const child = spawn(command, [...args, ...service], { env: { PATH: process.env.PATH } });
  let written = '';
  child.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  await Promise.race([once(child.stdout, 'data'), exited]);
  process.kill(pidOf(child), 'SIGTERM');
  return [...(await exited), written];
}

test('a stop while the program is still loaded is heard, and ends it in order', async () => {
  expect(await stopAtOnce(process.execPath, [], (child) => child.pid!)).toEqual([0, null, '']);
});

(mayUnshare ? test : test.skip)('so it is by process 1 of a container, whose unheard signals are dropped', async () => {
  const inside = ({ pid }: ChildProcess) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  expect(await stopAtOnce('unshare', [...NAMESPACE, process.execPath], inside)).toEqual([0, null, '']);
});
