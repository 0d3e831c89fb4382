import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A process of the demo's; its output goes to a log of its own. */
export interface Child {
  name: string;
  log: string;
  /** Its exit status once it has ended; -1 where a signal ended it. */
  ended: Promise<number>;
  /** Rejects when it ends without having been told to. */
  failed: Promise<never>;
  /** Tells it to end; by force after a while. */
  stop(): Promise<void>;
}

const STOP_MS = 10_000;
const LOG_LINES = 10;

/** Runs a TypeScript file as a process, in a group of its own: Ctrl-C is for the demo, which ends its processes in order. */
export function startChild(
  name: string,
  [file, ...args]: [string, ...string[]],
  { folder, env }: { folder: string; env: NodeJS.ProcessEnv },
): Child {
  const log = path.join(folder, `${name}.log`);
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    env,
    stdio: ['ignore', output, output],
    detached: true,
  });
  const ended = endOf(child);
  let told = false;
  const failed = ended.then(async (status): Promise<never> => {
    if (told) return await new Promise<never>(() => undefined);
    throw new Error(`${name} ended with status ${status}; the end of its log:\n${tail(log)}`);
  });
  failed.catch(() => undefined);
  return {
    name,
    log,
    ended,
    failed,
    stop: async () => {
      told = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function endOf(child: ChildProcess): Promise<number> {
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? -1;
}

const tail = (log: string): string => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
