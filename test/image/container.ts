import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { ImageConfig } from './buildah.js';

/**
 * As a container is run with `--read-only --cap-drop=ALL --security-opt=no-new-privileges`: process 1 of its own, the root
 * and all below it read-only but /tmp, the user of the image. The network is this machine's.
 */
const ENTER = `set -e; root=$1; shift
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount -o remount,bind,ro "$root"
exec chroot "$root" sh -c 'cd "$1"; shift; exec "$@"' sh "$@"`;

const CONFINED = ['--clear-groups', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs'];

export interface Container {
  process: ChildProcess;
  /** Resolves with what it has printed, as soon as that contains the text. */
  said: (text: string) => Promise<string>;
  /** Sends a signal to its process 1. */
  signal: (name: NodeJS.Signals) => void;
  /** Its exit code, and all that it printed. */
  ended: Promise<{ code: number | null; printed: string }>;
}

export function runContainer(
  root: string,
  { User, Env, Entrypoint, Cmd, WorkingDir }: ImageConfig,
  { env = {}, command = Cmd }: { env?: Record<string, string>; command?: readonly string[] } = {},
): Container {
  const [user, group] = User.split(':');
  const confined = ['setpriv', `--reuid=${user}`, `--regid=${group}`, ...CONFINED, '--'];
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      ENTER,
      'sh',
      root,
      WorkingDir,
      ...confined,
      ...Entrypoint,
      ...command,
    ],
    { env: { ...Object.fromEntries(Env.map((line) => line.split(/=(.*)/s, 2))), ...env } },
  );
  let printed = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer) => {
    printed += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, printed }));
  return {
    process: child,
    ended,
    said: (text) => {
      const heard = new Promise<string>((resolve) => {
        const listener = () => {
          if (printed.includes(text)) resolve(printed);
        };
        listeners.add(listener);
        listener();
      });
      const over = ended.then(() => {
        throw new Error(`ended before it said ${text}: ${printed}`);
      });
      return Promise.race([heard, over]);
    },
    signal: (name) => {
      const [first] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
      process.kill(Number(first), name);
    },
  };
}
