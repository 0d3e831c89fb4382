import { z } from 'zod';
import { ACCOUNT_STATUSES, ACTION_TYPES, ERROR_CLASSES, givenInstant, instant, optional } from './fields.js';
import { FAILURE_CODES } from './failures.js';

/** Requests are told apart by the first part of their operation's name. */
export const OPERATION_GROUPS = ['account', 'action', 'query', 'admin'] as const;

/** How samples make one of a longer step: the mean of what is measured, the sum of what is counted, or the greatest. */
export type SeriesKind = 'mean' | 'sum' | 'max';

/** Every series. A group is asked for by the first part of its names, such as `accounts`. */
export const SERIES: ReadonlyMap<string, SeriesKind> = new Map<string, SeriesKind>([
  ...ACCOUNT_STATUSES.map((status): [string, SeriesKind] => [`accounts.${status}`, 'mean']),
  ['leases.open', 'mean'],
  ['grants', 'sum'],
  ...FAILURE_CODES.map((code): [string, SeriesKind] => [`refusals.${code}`, 'sum']),
  ...ACTION_TYPES.map((action): [string, SeriesKind] => [`actions.${action}`, 'sum']),
  ...ERROR_CLASSES.map((name): [string, SeriesKind] => [`errors.${name}`, 'sum']),
  ['recoveries', 'sum'],
  ['outbox.age_seconds', 'max'],
  ...OPERATION_GROUPS.flatMap((group): [string, SeriesKind][] => [
    [`requests.${group}`, 'sum'],
    [`requests.${group}.p50_ms`, 'mean'],
    [`requests.${group}.p99_ms`, 'max'],
  ]),
]);

/** The series of that name, or of the group of that name. */
export const seriesNamed = (name: string): string[] =>
  [...SERIES.keys()].filter((series) => series === name || series.startsWith(`${name}.`));

export const seriesRequest = z.strictObject({
  names: optional(
    z
      .array(
        z
          .string()
          .refine((name) => seriesNamed(name).length > 0, 'must be the name of a series or of a group of series'),
      )
      .min(1)
      .max(100),
  ).describe(
    'Names of series (accounts.active) or of groups (accounts, leases, grants, refusals, actions, errors, recoveries, outbox, requests); absent: all that have a point',
  ),
  from: optional(givenInstant).describe('Absent: 6 hours before to'),
  to: optional(givenInstant).describe('Absent: now'),
  step_seconds: optional(z.int().min(60).max(86_400)).describe(
    'One point for so long; absent: the shortest of 60, 300, 900, 3600, 21600 and 86400 with at most 360 points',
  ),
});

export const seriesReply = z.strictObject({
  step_seconds: z.int(),
  series: z
    .array(
      z.strictObject({
        name: z.string(),
        points: z
          .array(z.tuple([instant, z.number()]))
          .describe('When the step began, and the value. A step in which no instance ran has no point'),
      }),
    )
    .describe(
      'accounts.*, leases.open: as they stood; grants, refusals.*, actions.*, errors.*, recoveries, requests.*: how many in the step; outbox.age_seconds: seconds; p50_ms, p99_ms: milliseconds. Kept are a sample a minute for 48 hours and one an hour for 90 days. Empty for callers with listed users: series are of the whole fleet',
    ),
});
