import { z } from 'zod';
import { splitUrls } from '../decide/messages/split-urls.js';
import { CADENCE_RULE, type Cadence, parseCadence } from '../decide/jobs/cadence.js';

const required = z.string('must be set');
/** A key for session data. */
export const sessionKey = z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits');

/** Several of them, all different, separated by commas or line ends. */
export const sessionKeys = z
  .string()
  .transform((given) => given.split(/[\s,]+/))
  .refine((keys) => keys.every((key) => sessionKey.safeParse(key).success), {
    error: 'must be keys of 64 hexadecimal digits, separated by commas',
    abort: true,
  })
  .refine((keys) => new Set(keys.map((key) => key.toLowerCase())).size === keys.length, 'must not name a key twice');

const isDecodable = (given: string): boolean => {
  try {
    decodeURIComponent(given);
    return true;
  } catch {
    return false;
  }
};

/** A URL of one of these schemes, whose parts can be decoded: clients differ in what they make of others, or throw. */
const url = (...schemes: string[]) => {
  const rule = `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return required
    .refine((given) => URL.canParse(given) && schemes.includes(new URL(given).protocol.slice(0, -1)), {
      error: rule,
      abort: true,
    })
    .refine(isDecodable, { error: 'must have every % that stands for itself written as %25', abort: true });
};

/** Several hosts before the path, as libpq takes them; a comma in a password is none of them. */
const SEVERAL_HOSTS = /^[a-z]+:\/\/(?:[^/?#]*@)?[^/?#@]*,[^/?#@]*(?:[/?#]|$)/i;

/** One such URL of a single server: its clients follow no list of hosts. */
export const urlOfOne = (...schemes: string[]) =>
  required
    .refine((given) => !SEVERAL_HOSTS.test(given), {
      error: 'must name one host; see docs/high-availability.md for several',
      abort: true,
    })
    .pipe(url(...schemes));

/** Commas separate; one in a vhost is written %2C. */
const isWhole = (given: string): boolean => {
  const { host, pathname } = new URL(given);
  return !/[,\s]/.test(host + pathname);
};

/** One such URL, or several separated by commas. */
export const urls = (...schemes: string[]) => {
  const one = url(...schemes).refine(isWhole, 'must have whole URLs between its commas, each with its scheme');
  return required.superRefine((given, context) => {
    const faults = splitUrls(given).flatMap((text) => one.safeParse(text).error?.issues ?? []);
    const [first] = faults;
    if (first) context.addIssue({ code: 'custom', message: first.message, continue: false });
  });
};

/** A whole number in decimal digits, both bounds included. */
export const wholeNumber = (min: number, max: number) => {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: rule, abort: true })
    .transform(Number)
    .refine((n) => n >= min && n <= max, rule);
};

/** The path of a file; `otherwise` says what holds without one. */
export const file = (meaning: string, otherwise: string) =>
  z.string().optional().meta({ meaning, defaultText: otherwise });

/** When a job runs. */
export const cadence = (usual: string, meaning: string) =>
  z
    .string()
    .transform((given, context): Cadence => {
      const parsed = parseCadence(given);
      if (parsed !== null) return parsed;
      context.addIssue({ code: 'custom', message: CADENCE_RULE });
      return z.NEVER;
    })
    .prefault(usual)
    .meta({ meaning: `${meaning}: seconds, or a cron expression in UTC` });
