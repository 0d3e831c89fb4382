import { readFileSync } from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { parseLimits } from '../../src/decide/limits/limits-policy.js';
import { doubleGrants } from './works.js';

/** Messages may be sent at any pace, and more of them than a run has time for. */
export const LIMITS_FILE = path.join(import.meta.dirname, 'limits.json');

/**
 * Looks through everything that callers were granted and that was written for what must never be; answers one line for
 * each violation.
 */
export async function auditGrants(pool: pg.Pool): Promise<string[]> {
  const limits = parseLimits(JSON.parse(readFileSync(LIMITS_FILE, 'utf8')));
  if (!limits.ok) throw new Error('the limits of the benchmark are not valid');
  const { dailyLimit, hourlyLimit } = limits.policy.message;
  const found = doubleGrants.map((accountId) => `granted while held: ${accountId}`);
  const look = async (rule: string, sql: string, values: unknown[] = []) => {
    const { rows } = await pool.query<{ what: string }>(sql, values);
    for (const { what } of rows) found.push(`${rule}: ${what}`);
  };
  await look(
    'two leases of one account at a time',
    `SELECT account_id::text AS what FROM (
       SELECT account_id, allocated_at, lag(COALESCE(ended_at, 'infinity')) OVER (PARTITION BY account_id ORDER BY fence) AS before
       FROM leases) l WHERE allocated_at < before LIMIT 10`,
  );
  await look(
    'events of an account with a gap or a repeat',
    `SELECT account_id::text AS what FROM events WHERE account_id IS NOT NULL
     GROUP BY account_id HAVING count(*) <> max(sequence) OR count(DISTINCT sequence) <> count(*) LIMIT 10`,
  );
  await look(
    'more messages a day than the limit',
    `SELECT account_id::text AS what FROM counted_actions WHERE action_type = 'message'
     GROUP BY account_id, (counted_at AT TIME ZONE 'UTC')::date HAVING sum(quantity) > $1 LIMIT 10`,
    [dailyLimit],
  );
  await look(
    'more messages in 60 minutes than the limit',
    `SELECT account_id::text AS what FROM (
       SELECT account_id, sum(quantity) OVER (PARTITION BY account_id ORDER BY counted_at
         RANGE BETWEEN interval '59 minutes 59.999 seconds' PRECEDING AND CURRENT ROW) AS within
       FROM counted_actions WHERE action_type = 'message') a WHERE within > $1 LIMIT 10`,
    [hourlyLimit],
  );
  return found;
}
