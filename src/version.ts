import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The version of the package that this file is a part of, compiled or not. */
export const VERSION = readVersion();

function readVersion(): string {
  for (let folder = import.meta.dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === 'account-manager' && version !== undefined) return version;
    } catch {
      // It lies higher up.
    }
  }
  return 'unknown';
}
