import type { z } from 'zod';

/** A fault of a file: the path of the field, such as `invite.daily_limit`, empty for the whole; and the rule it breaks. */
export interface FileIssue {
  path: string;
  message: string;
}

/** Tells of an unknown name which ones there are. `namesAt`: those at a depth of the file. */
export function describeFileIssue(issue: z.core.$ZodIssue, namesAt: (depth: number) => readonly string[]): FileIssue {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return { path, message: issue.message };
  const unknown = issue.keys.map((key) => `"${key.slice(0, 100)}"`).join(', ');
  return { path, message: `${unknown} is not known here; allowed are ${namesAt(issue.path.length).join(', ')}` };
}
