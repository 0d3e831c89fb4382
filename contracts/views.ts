import { z } from 'zod';
import { ALERT_SEVERITIES } from './alerts.js';
import {
  ACTION_TYPES,
  actionType,
  errorClass,
  fence,
  id,
  instant,
  optional,
  pageLimit,
  phone,
  purpose,
  serviceName,
  userId,
  withDefault,
} from './fields.js';
import { jobName, JOB_NAMES, runJobReply } from './jobs.js';
import { cursorOf, listLimit, listReply, PLACE_CURSOR } from './lists.js';

/** Views of the whole fleet, for operators. A caller with listed users sees the rows of those users alone. */

export const leasesRequest = z.strictObject({
  user_id: optional(userId),
  service_name: optional(serviceName).describe('Lists only the leases of this service'),
  account_id: optional(id),
  limit: listLimit,
  cursor: cursorOf(PLACE_CURSOR),
});

const openLease = z.strictObject({
  lease_id: id,
  account_id: id,
  user_id: userId,
  phone,
  service_name: serviceName,
  caller: z
    .string()
    .nullable()
    .describe('The caller that asked for it, as the broker or the HTTP door has checked; null: unchecked'),
  purpose,
  target_channel: z.string().nullable(),
  fence,
  allocated_at: instant,
  expires_at: instant,
  actions: z.partialRecord(actionType, z.int()).describe('How often each action was counted under the lease so far'),
});

export const leasesReply = z.strictObject({
  leases: z.array(openLease).describe('Open leases, the earliest end first'),
  ...listReply,
});

export const recoveriesRequest = z.strictObject({
  user_id: optional(userId),
  within_seconds: optional(z.int().min(0).max(31_536_000)).describe('Lists only the waits that end within so long'),
  limit: listLimit,
  cursor: cursorOf(PLACE_CURSOR),
});

const recovery = z.strictObject({
  account_id: id,
  user_id: userId,
  phone,
  status: z.enum(['flood_wait', 'blocked']),
  classified_as: errorClass.nullable().describe('Class of the error that began the wait; null: no error is known'),
  telegram_error: z.string().nullable().describe("Telegram's name of that error; null: none was found"),
  began_at: instant.nullable().describe('When the wait began; null: not known any more'),
  recovers_at: instant.describe('When its waits end and it is active again by itself'),
});

export const recoveriesReply = z.strictObject({
  recoveries: z.array(recovery).describe('Accounts in a flood wait or blocked, the soonest to recover first'),
  ...listReply,
});

export const jobsRequest = z.strictObject({
  job: optional(jobName).describe('Lists only this job'),
  runs: withDefault(
    z
      .int()
      .min(0)
      .transform((given) => Math.min(given, 50)),
    5,
  ).describe('How many of its latest runs to tell of each job; more than 50 counts as 50'),
  limit: pageLimit(500, 100).describe('How many jobs to list at most'),
  cursor: cursorOf(new RegExp(`^(${JOB_NAMES.join('|')})$`)),
});

const jobRun = runJobReply.omit({ job: true }).extend({
  instance: z.string().describe('The instance that has taken it up last, or was asked for it'),
});

export const jobsReply = z.strictObject({
  jobs: z
    .array(
      z.strictObject({
        job: jobName,
        cadence: z.string().describe('When it is due: a cron expression in UTC, the first field being seconds'),
        next_run_at: instant,
        overdue: z.boolean().describe('It has not finished for twice its cadence'),
        runs: z.array(jobRun).describe('The newest first'),
      }),
    )
    .describe('Where several are due, in this order. Empty for callers with listed users: jobs are of the whole fleet'),
  ...listReply,
});

const severity = z.enum(ALERT_SEVERITIES);
const alertName = z.string().regex(/^[a-z_]{1,100}$/, 'must be the name of an alert, such as blocked_share');

export const alertsRequest = z.strictObject({
  state: withDefault(z.enum(['open', 'resolved', 'all']), 'open'),
  severity: optional(severity),
  alert: optional(alertName).describe('Lists only alerts of this name'),
  limit: listLimit,
  cursor: cursorOf(PLACE_CURSOR),
});

export const alertsReply = z.strictObject({
  alerts: z
    .array(
      z.strictObject({
        alert_id: id,
        alert: alertName,
        subject: z.string().describe('Tells several of one name apart; empty where there is one only'),
        severity,
        data: z.record(z.string(), z.unknown()).describe('Figures and ids, as its event has them'),
        raised_at: instant,
        resolved_at: instant.nullable().describe('null: it is open'),
      }),
    )
    .describe('The newest first. Callers with listed users see the alerts about accounts of these users'),
  ...listReply,
});

const number = z.number().nullable().describe('null: no such limit');
const limitNumbers = z.strictObject({
  daily_limit: number,
  hourly_limit: number,
  per_channel_daily: number,
  per_channel_total: number,
  cooldown_seconds: number,
  burst_limit: number,
  burst_cooldown_seconds: number,
});

export const policyReply = z.strictObject({
  limits: z.record(actionType, limitNumbers).describe('The limits in force, by action'),
  differing: z
    .partialRecord(z.enum(ACTION_TYPES), limitNumbers.partial())
    .describe('The defaults of what is set otherwise, by action; empty: everything is as by default'),
  count_failed_attempts: z.boolean().describe('Whether an attempt that failed counts like one that succeeded'),
  reentry: z.strictObject({
    days: z.int().describe('Days (UTC) with reduced daily limits after a block; 0: none'),
    daily_percent: z.int().describe('The part of each daily limit that holds on these days'),
  }),
  alerts: z
    .strictObject({
      flood_wait_percent: z.int(),
      blocked_percent: z.int(),
      near_limits_percent: z.int(),
      near_limit_percent: z.int().describe('An account that has used so much of a daily limit is near it'),
    })
    .describe('From which share of the fleet on an alert is raised, per cent'),
  cadences: z.record(jobName, z.string()).describe('When each job is due: cron expressions in UTC, with seconds'),
  history_days: z.int().describe('How long events, leases, runs, reports and resolved alerts are kept'),
});
