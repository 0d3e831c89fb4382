import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AccessPolicy, parseAccess } from '../decide/access/access-policy.js';
import { type LimitsPolicy, parseLimits } from '../decide/limits/limits-policy.js';

/** Takes the rule that a file breaks. */
type OnProblem = (rule: string) => void;

/** Limits of actions, from the file of limits. */
export interface LimitSettings {
  policy: LimitsPolicy;
  countFailedAttempts: boolean;
}

/** The limits of the file, the defaults where it says nothing or none is named; null: it is no good. */
export const loadLimits = (path: string | null, onProblem: OnProblem): LimitSettings | null => {
  const json = path === null ? {} : readJson(path, onProblem);
  if (json === undefined) return null;
  const limits = parseLimits(json);
  if (limits.ok) return { policy: limits.policy, countFailedAttempts: limits.countFailedAttempts };
  reportIssues(path, limits.issues, onProblem);
  return null;
};

/** Rights of the callers; null where no file is named, or it is no good. */
export const readAccess = (path: string | null, ownUser: string | null, onProblem: OnProblem): AccessPolicy | null => {
  const json = path === null ? undefined : readJson(path, onProblem);
  if (json === undefined) return null;
  const access = parseAccess(json, ownUser);
  if (access.ok) return access.policy;
  reportIssues(path, access.issues, onProblem);
  return null;
};

/** Tells what is wrong inside a file. */
const reportIssues = (
  file: string | null,
  issues: readonly { path: string; message: string }[],
  onProblem: OnProblem,
): void => {
  for (const { path, message } of issues)
    onProblem(`in ${resolve(file ?? '')}${path === '' ? '' : `, ${path}`}: ${message}`);
};

/** Parsed contents of a file. Undefined, and reported, where the file is not JSON. */
const readJson = (path: string, onProblem: OnProblem): unknown => {
  const text = readText(path, onProblem);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The rest of the message quotes the file.
    const [, position] = /position (\d+)/.exec(String(error)) ?? [];
    const line = position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
    onProblem(`${resolve(path)} must be JSON${line}`);
    return undefined;
  }
};

/** A file's text without the line end that editors add. */
export const readText = (path: string, onProblem: OnProblem): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    onProblem(unreadable(path, error));
    return null;
  }
};

/** Why a file cannot be read, with its path. */
export const unreadable = (path: string, error: unknown): string => {
  const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
  return `${resolve(path)} cannot be read (${REASONS[code] ?? code})`;
};

const REASONS: Record<string, string> = {
  ENOENT: 'ENOENT: there is no such file',
  EACCES: 'EACCES: this user may not read it',
  EISDIR: 'EISDIR: it is a folder',
  ENOTDIR: 'ENOTDIR: a part of its path is no folder',
};
