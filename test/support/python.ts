import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { inPath } from '../../scripts/servers/binaries.mjs';
import { installPackages } from '../../scripts/servers/debian.mjs';

/** A program that hangs must not outlive the test. */
const TIMEOUT_MS = 170_000;

/** Debian's own, for which its packages are made. */
const SYSTEM_PYTHON = '/usr/bin/python3';

const has = (python: string, modules: readonly string[]): boolean =>
  spawnSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0;

/**
 * A Python that has the modules, which are installed from Debian's packages where one is missing; null where that may
 * not or cannot be.
 */
export function findPython(modules: readonly string[], debianPackages: readonly string[]): string | null {
  const known = [SYSTEM_PYTHON, inPath('python3')].filter((python) => python !== undefined && existsSync(python));
  const found = known.find((python) => python !== undefined && has(python, modules));
  if (found !== undefined) return found;
  const say = (line: string): boolean => process.stderr.write(`${line}\n`);
  try {
    installPackages({ packages: ['python3', ...debianPackages], why: [...debianPackages], say, instead: null });
  } catch (error) {
    say(`not tested with Python: ${String(error)}`);
    return null;
  }
  return has(SYSTEM_PYTHON, modules) ? SYSTEM_PYTHON : null;
}

/** Runs a program; answers what it has printed, and throws with what it has complained of where it fails. */
export async function runPython(
  python: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(python, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: TIMEOUT_MS,
  });
  let printed = '';
  let complained = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${printed}${complained}`);
  return printed;
}
