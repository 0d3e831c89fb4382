import { readFileSync } from 'node:fs';
import { type AccessPolicy, parseAccess } from '../decide/access/access-policy.js';
import { type LimitsPolicy, parseLimits } from '../decide/limits/limits-policy.js';

/** Takes the rule that a file breaks. */
type Report = (rule: string) => void;

/** What actions are held to. */
export interface Limits {
  policy: LimitsPolicy;
  countFailedAttempts: boolean;
}

/** The limits of the file, the defaults where it says nothing or none is named; null: it is no good. */
export const loadLimits = (path: string | null, report: Report): Limits | null => {
  const json = path === null ? {} : readJson(path, report);
  if (json === undefined) return null;
  const limits = parseLimits(json);
  if (limits.ok) return { policy: limits.policy, countFailedAttempts: limits.countFailedAttempts };
  reportIssues(limits.issues, report);
  return null;
};

/** Who may do what; null where no file is named, or it is no good. */
export const readAccess = (path: string | null, ownUser: string | null, report: Report): AccessPolicy | null => {
  const json = path === null ? undefined : readJson(path, report);
  if (json === undefined) return null;
  const access = parseAccess(json, ownUser);
  if (access.ok) return access.policy;
  reportIssues(access.issues, report);
  return null;
};

/** Tells what is wrong inside a file. */
const reportIssues = (issues: readonly { path: string; message: string }[], report: Report): void => {
  for (const { path, message } of issues) report(`in its file, ${path === '' ? 'as a whole' : path}: ${message}`);
};

/** What a file holds; undefined, and reported, where it is no JSON. */
const readJson = (path: string, report: Report): unknown => {
  const text = readText(path, report);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    report('its file must be JSON');
    return undefined;
  }
};

/** A file's text without the line end that editors add. */
export const readText = (path: string, report: Report): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    report(`its file cannot be read (${code})`);
    return null;
  }
};
