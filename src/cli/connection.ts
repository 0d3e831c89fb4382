import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Environment } from './environment.js';
import { usageError } from './exit.js';

/** Where the service is, and who asks it. */
export interface ServiceConnection {
  /** Without the path of the operations and without a slash at its end. */
  url: string;
  token: string | null;
  /** Nothing names a service: the address is the one that a service has by default. */
  isGuessed: boolean;
}

/** Options of the command line. */
export interface ConnectionFlags {
  url?: string;
  token?: string;
  profile?: string;
}

/** Where a service listens that is told nothing else. */
const DEFAULT_URL = 'http://127.0.0.1:3000';

const profileFile = z.strictObject({ url: z.string().optional(), token: z.string().optional() });
type Profile = z.output<typeof profileFile>;

/**
 * A flag wins over the environment, which wins over the profile. The token of a profile goes to the service of that
 * profile only: with another `--url` it would show a stranger the operator's rights.
 */
export function findConnection(flags: ConnectionFlags, environment: Environment): ServiceConnection {
  const ownUrl = flags.url ?? environment.url;
  const ownToken = flags.token ?? environment.token;
  const profile = ownUrl === null || ownToken === null ? readProfile(flags.profile, environment) : {};
  const url = readUrl(ownUrl ?? profile.url ?? DEFAULT_URL);
  const isOfProfile = profile.url === undefined || readUrl(profile.url) === url;
  const token = ownToken ?? (isOfProfile ? profile.token : undefined) ?? null;
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) {
    throw usageError('the token must be printable ASCII without spaces');
  }
  return { url, token, isGuessed: ownUrl === null && profile.url === undefined };
}

function readProfile(flag: string | undefined, { profile, configHome }: Environment): Profile {
  const named = flag ?? profile;
  const usual = configHome === null ? null : path.join(configHome, 'account-manager', 'profile.json');
  const file = named ?? usual;
  if (file === null) return {};
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) {
    if (named === null) return {};
    throw usageError(`the profile ${file} does not exist`);
  }
  if ((mode & 0o077) !== 0) {
    throw usageError(`the profile ${file} can be read or changed by others: run "chmod 600 ${file}"`);
  }
  const parsed = profileFile.safeParse(readJson(file));
  if (!parsed.success) throw usageError(`the profile ${file} must be a JSON object with "url" and "token", both texts`);
  return parsed.data;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageError(`the profile ${file} ${code === undefined ? 'must be JSON' : `cannot be read (${code})`}`);
  }
}

/** Also takes the address of the operations themselves, as the documents of the HTTP door have it. */
function readUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError('the URL must be one like http://127.0.0.1:3000');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw usageError('the URL must have no user, password, query or fragment; give the token with --token');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api\/v1\/account-manager$/, '');
}
