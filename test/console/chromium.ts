import { type Browser, chromium } from 'playwright-core';
import { installPackages } from '../../scripts/servers/debian.mjs';
import { inPath } from '../../scripts/servers/binaries.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const findChromium = (): string | undefined => NAMES.map(inPath).find((file) => file !== undefined);

function installChromium(): string {
  const packages = ['chromium', 'fonts-dejavu-core'];
  installPackages({ packages, why: ['Chromium'], say: (line) => process.stderr.write(`${line}\n`), instead: null });
  const installed = findChromium();
  if (installed === undefined) throw new Error('Chromium was installed and is not in PATH');
  return installed;
}

/** Looked for while the test file is loaded: an installation takes longer than a test may. */
const EXECUTABLE = process.env.CHROMIUM ?? findChromium() ?? installChromium();

/** A real browser: the one of the machine, else Debian's, which is installed as the servers of the tests are. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
}
