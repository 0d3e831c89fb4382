import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { buildService } from '../support/build-service.js';

/** How a run of the command ended. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcessWithoutNullStreams;
  stdout: () => string;
  stderr: () => string;
  ended: Promise<Ran>;
}

/** A home without a profile. */
const HOME = mkdtempSync(path.join(tmpdir(), 'home-'));

/** Starts the built command in a process of its own, with nothing of this environment but its programs. */
export async function startCommand(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  return follow(process.execPath, [await builtCommand(), ...args], env);
}

/** The same on a terminal: what it writes, to whichever stream, comes out as stdout. */
export async function startOnTerminal(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const words = [process.execPath, await builtCommand(), ...args].map((word) => `'${word}'`);
  return follow(
    'script',
    ['--quiet', '--return', '--command', `stty cols 160 rows 40; exec ${words.join(' ')}`, '/dev/null'],
    {
      TERM: 'xterm',
      ...env,
    },
  );
}

export async function runCommand(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const running = await startCommand(args, env);
  running.process.stdin.end();
  return running.ended;
}

const running = new Set<ChildProcessWithoutNullStreams>();

/** For `afterEach`: nothing outlives a test that has failed. */
export function endCommands(): void {
  for (const child of running) child.kill('SIGKILL');
}

let built: Promise<string> | null = null;

const builtCommand = (): Promise<string> =>
  (built ??= buildService().then((main) => path.join(path.dirname(main), 'cli/main.js')));

function follow(command: string, args: readonly string[], env: Record<string, string>): Running {
  const child = spawn(command, args, { env: { PATH: process.env.PATH, HOME, ...env } });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // A command may end without having read what it is told.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  child.once('close', () => running.delete(child));
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended };
}
