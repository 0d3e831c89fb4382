import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/**
 * @param {string} name of a program
 * @returns {string | undefined} its file, from PATH and from the folders for administrators that a user's PATH may lack
 */
export function inPath(name) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
