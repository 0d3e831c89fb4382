/**
 * Imported before everything else: on an older Node.js the program would end while it is loaded, with an error that
 * names a package. The same versions as `engines` in package.json.
 */
const LEAST: Record<number, number> = { 20: 19, 22: 13 };
const FIRST_OF_ALL_LATER = 24;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const least = LEAST[major];
if (!(major >= FIRST_OF_ALL_LATER || (least !== undefined && minor >= least))) {
  process.stderr.write(
    `could not start: Node.js ${process.versions.node} is not supported; install 20.19, 22.13, or 24 or newer (https://nodejs.org)\n`,
  );
  process.exit(1);
}

export {};
