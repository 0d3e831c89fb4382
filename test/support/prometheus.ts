import { inPath } from '../../scripts/servers/binaries.mjs';
import { installPackages } from '../../scripts/servers/debian.mjs';

/**
 * The file of `promtool` or `prometheus`: the one of the machine, else Debian's, which is installed as the servers of the
 * tests are. To be asked for while a test file is loaded: an installation takes longer than a test may.
 */
export function findPrometheus(program: 'promtool' | 'prometheus'): string {
  const found = inPath(program) ?? install(program);
  if (found === undefined) throw new Error(`Debian's prometheus was installed, and ${program} is not in PATH`);
  return found;
}

function install(program: string): string | undefined {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  installPackages({ packages: ['prometheus'], why: [program], say, instead: null });
  return inPath(program);
}
