import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Settings of an image from the Dockerfile, as far as a container needs them. */
export interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  Cmd: string[];
  WorkingDir: string;
  Labels: Record<string, string>;
}

/** Builds images without an engine, each step in a plain chroot, and keeps them as plain folders. */
export function createBuildah(folder: string) {
  const storage = [
    '--root',
    path.join(folder, 'storage'),
    '--runroot',
    path.join(folder, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const buildah = (...args: string[]): string =>
    execFileSync('buildah', [...storage, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  return {
    /** An image of a file tree. */
    import: (name: string, root: string): void => {
      const container = buildah('from', 'scratch');
      buildah('add', '--quiet', container, root, '/');
      buildah('config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', container);
      buildah('commit', '--quiet', '--rm', container, name);
    },
    isThere: (name: string): boolean =>
      buildah('images', '--format', '{{.Name}}').split('\n').includes(`localhost/${name}`),
    /** Answers what it printed, and whether it succeeded. */
    build: async (context: string, { base, name, mounts = [] }: { base: string; name: string; mounts?: string[] }) => {
      const volumes = [...packageSettings(folder), ...mounts].flatMap((mount) => ['--volume', mount]);
      const args = ['bud', '--isolation', 'chroot', '--format', 'docker', '--build-arg', `BASE=localhost/${base}`];
      const child = spawn('buildah', [...storage, ...args, ...volumes, '--tag', name, context]);
      let printed = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number | null];
      return { ok: code === 0, printed };
    },
    configOf: (name: string): ImageConfig =>
      (JSON.parse(buildah('inspect', '--type', 'image', name)) as { Docker: { config: ImageConfig } }).Docker.config,
    /** The root of a new container of it. */
    mount: (name: string): { container: string; root: string } => {
      const container = buildah('from', '--pull-never', `localhost/${name}`);
      return { container, root: buildah('mount', container) };
    },
    remove: (container: string): string => buildah('rm', container),
  };
}

/** Mounts that give npm within the build this machine's settings for its registry of packages. */
function packageSettings(folder: string): string[] {
  const setting = (name: string): string => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
  const authorities = setting('cafile');
  const own = path.join(homedir(), '.npmrc');
  const shared = path.join(folder, 'npmrc');
  const hasAuthorities = existsSync(authorities);
  writeFileSync(shared, `registry=${setting('registry')}\n${hasAuthorities ? `cafile=${authorities}\n` : ''}`);
  return [
    `${shared}:/usr/local/etc/npmrc:ro`,
    ...(existsSync(own) ? [`${own}:/root/.npmrc:ro`] : []),
    ...(hasAuthorities ? [`${authorities}:${authorities}:ro`] : []),
  ];
}
