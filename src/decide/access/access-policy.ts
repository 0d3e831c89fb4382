import { z } from 'zod';
import { serviceName, userId } from '../../../contracts/fields.js';
import { OPERATION_NAMES, type OperationName } from '../../../contracts/operations.js';
import { describeFileIssue, type FileIssue } from '../describe-file-issue.js';

export const DOORS = ['amqp', 'http'] as const;
/** Where a request comes in. */
export type Door = (typeof DOORS)[number];

/** Rights of one caller. */
export interface CallerRights {
  /** Its user at the broker and its `service_name`. */
  name: string;
  /** The users whose accounts it may have; `*`: everybody's. */
  users: ReadonlySet<number> | '*';
  /** Only an operator's hold those of the admin exchange. */
  operations: ReadonlySet<OperationName>;
  doors: ReadonlySet<Door>;
  /** SHA-256 of its bearer tokens, hexadecimal, lower case; several while one is being replaced. */
  tokenHashes: readonly string[];
  /** In each instance of the service. */
  requestsPerSecond: number;
  /** Requests not yet answered, in each instance of the service. */
  concurrentRequests: number;
  /** Its release, error, acquire and record must name their lease, so that a late worker of it harms no other. */
  leaseRequired: boolean;
  /** When it asks again for an account that it holds, it gets that account under a new lease. */
  regrants: boolean;
}

/**
 * Limits of a caller that has none of its own: more than any caller that works on accounts needs,
 * and no more than one instance serves.
 */
export const DEFAULT_CALLER_LIMITS = { requestsPerSecond: 1_000, concurrentRequests: 512 } as const;

/** The callers, by name. Nobody else is served. */
export type AccessPolicy = ReadonlyMap<string, CallerRights>;

const ROLES = ['service', 'operator'] as const;
type Role = (typeof ROLES)[number];

const list = <T extends z.ZodType>(of: T) => z.array(of).min(1);

const caller = z.strictObject({
  name: serviceName,
  role: z.enum(ROLES).default('service'),
  users: z.union([z.literal('*'), list(userId)], 'must be "*" or a list of user ids'),
  operations: list(z.string()).optional(),
  doors: list(z.enum(DOORS)).default([...DOORS]),
  http_token_sha256: z
    .array(z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits: the SHA-256 of a token'))
    .default([]),
  requests_per_second: z.number().min(0.001).max(1_000_000).default(DEFAULT_CALLER_LIMITS.requestsPerSecond),
  concurrent_requests: z.int().min(1).max(1_000_000).default(DEFAULT_CALLER_LIMITS.concurrentRequests),
  lease_required: z.boolean().default(false),
  reentry: z.boolean().default(false),
});
const accessFile = z.strictObject({ services: list(caller) });

export type ParsedAccess = { ok: true; policy: AccessPolicy } | { ok: false; issues: FileIssue[] };

/**
 * Reads an access file, already parsed as JSON. Refuses unknown fields, names and tokens that stand twice, patterns
 * that name no operation, operators' operations for services, and this service's own user at the broker, whose messages
 * are believed whatever caller they name; names every fault at once.
 * @param ownUser null where it is not known
 */
export function parseAccess(json: unknown, ownUser: string | null): ParsedAccess {
  const parsed = accessFile.safeParse(json);
  if (!parsed.success) {
    const namesAt = (depth: number) => Object.keys(depth === 0 ? accessFile.shape : caller.shape);
    return { ok: false, issues: parsed.error.issues.map((issue) => describeFileIssue(issue, namesAt)) };
  }
  const issues: FileIssue[] = [];
  const policy = new Map<string, CallerRights>();
  const tokens = new Set<string>();
  parsed.data.services.forEach((given, index) => {
    const addIssue = (field: string, message: string) =>
      void issues.push({ path: `services.${index}.${field}`, message });
    const tokenHashes = given.http_token_sha256.map((hash) => hash.toLowerCase());
    if (policy.has(given.name)) addIssue('name', 'stands in the list already');
    if (given.name === ownUser) addIssue('name', "is this service's own user at the broker, which no caller may have");
    tokenHashes.forEach((hash, at) => {
      if (tokens.has(hash)) addIssue(`http_token_sha256.${at}`, 'stands in the file already: a token is of one caller');
      tokens.add(hash);
    });
    policy.set(given.name, {
      name: given.name,
      users: given.users === '*' ? '*' : new Set(given.users),
      operations: selectOperations(given.role, given.operations, (at, message) =>
        addIssue(`operations.${at}`, message),
      ),
      doors: new Set(given.doors),
      tokenHashes,
      requestsPerSecond: given.requests_per_second,
      concurrentRequests: given.concurrent_requests,
      leaseRequired: given.lease_required,
      regrants: given.reentry,
    });
  });
  return issues.length > 0 ? { ok: false, issues } : { ok: true, policy };
}

const isAdmin = (operation: string): boolean => operation.startsWith('admin.');

/** The operations that names and patterns such as `account.*` stand for; without any: all that the role may have. */
function selectOperations(
  role: Role,
  patterns: readonly string[] | undefined,
  addIssue: (index: number, message: string) => void,
): ReadonlySet<OperationName> {
  const ofRole = OPERATION_NAMES.filter((name) => role === 'operator' || !isAdmin(name));
  if (patterns === undefined) return new Set(ofRole);
  return new Set(
    patterns.flatMap((pattern, index) => {
      const group = pattern.endsWith('.*') ? pattern.slice(0, -1) : null;
      const selected = OPERATION_NAMES.filter((name) => name === pattern || (group !== null && name.startsWith(group)));
      if (selected.length === 0) addIssue(index, 'names no operation');
      else if (role !== 'operator' && selected.some(isAdmin)) addIssue(index, 'needs the role operator');
      return selected;
    }),
  );
}
