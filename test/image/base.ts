import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Versions in `node:24-bookworm-slim`, which the Dockerfile builds on. */
const SUITE = 'bookworm';
const NODE = '24';
const NPM = '11';
const CLEAN =
  'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nDPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n';
const MIRROR = process.env.DEBIAN_MIRROR ?? 'http://deb.debian.org/debian';

/**
 * A file tree in place of the base image, which would need an engine and a registry of images. Debian comes from
 * debootstrap, Node.js and npm from their packages, and the user node is added. Made once, in some 2 minutes.
 * @param folder that it is kept in
 * @returns its root
 */
export function prepareBase(folder: string): string {
  const root = path.join(folder, `${SUITE}-node${NODE}`);
  if (existsSync(root)) return root;
  const fresh = `${root}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('debootstrap', '--variant=minbase', '--include=ca-certificates', SUITE, fresh, MIRROR);
  run('chroot', fresh, 'useradd', '--uid', '1000', '--user-group', '--create-home', 'node');
  const local = path.join(fresh, 'usr/local');
  const node = path.join(fresh, 'tmp/node');
  unpack(`node-linux-${process.arch}@${NODE}`, node);
  renameSync(path.join(node, 'bin/node'), path.join(local, 'bin/node'));
  unpack(`npm@${NPM}`, path.join(local, 'lib/node_modules/npm'));
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', path.join(local, 'bin/npm'));
  // As in an image: apt keeps no caches, and there are no lists of packages and no downloads.
  writeFileSync(path.join(fresh, 'etc/apt/apt.conf.d/docker-clean'), CLEAN);
  for (const left of ['tmp', 'var/lib/apt/lists', 'var/cache/apt/archives']) {
    const place = path.join(fresh, left);
    for (const name of readdirSync(place)) rmSync(path.join(place, name), { recursive: true });
  }
  renameSync(fresh, root);
  return root;
}

/** Unpacks a package of the registry, named with its version. */
function unpack(name: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--json', name], { cwd: folder, encoding: 'utf8' });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  run('tar', '--extract', '--file', path.join(folder, filename), '--directory', folder, '--strip-components=1');
  rmSync(path.join(folder, filename));
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
}
