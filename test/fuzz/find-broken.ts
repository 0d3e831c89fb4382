import type { OpenService } from '../conformance/open-service.js';

/** Rules that must always hold in the tables, as queries that find where they do not. */
const RULES: Record<string, string> = {
  'a leased account has that lease, open': `
    SELECT s.id FROM telegram_sessions s LEFT JOIN leases l ON l.id = s.lease_id AND l.ended_at IS NULL
    WHERE s.locked AND (l.id IS NULL OR l.fence <> s.fence OR l.expires_at <> s.locked_until)`,
  'an open lease is its account’s': `
    SELECT l.id FROM leases l JOIN telegram_sessions s ON s.id = l.account_id
    WHERE l.ended_at IS NULL AND s.lease_id IS DISTINCT FROM l.id`,
  'no fence is given twice, or beyond the account’s': `
    SELECT l.id FROM leases l JOIN telegram_sessions s ON s.id = l.account_id WHERE l.fence > s.fence`,
  'events are numbered without a gap': `
    SELECT s.id FROM telegram_sessions s LEFT JOIN events e ON e.account_id = s.id GROUP BY s.id
    HAVING count(e.id) <> s.event_sequence OR COALESCE(max(e.sequence), 0) <> s.event_sequence`,
  // An account may have brought more along when it was registered.
  'every counted action stands in the windows': `
    SELECT w.account_id FROM usage_windows w
    WHERE w.day_count < (SELECT COALESCE(sum(c.quantity), 0) FROM counted_actions c WHERE c.account_id = w.account_id
      AND c.action_type = w.action_type AND (c.counted_at AT TIME ZONE 'UTC')::date = w.day)`,
};

/** Tables whose rows others read or keep, and which hold no session. */
const WITHOUT_SESSIONS = [
  'events',
  'answered_requests',
  'leases',
  'counted_actions',
  'channel_usage',
  'reports',
  'alerts',
  'job_runs',
];

/** Rules that do not hold, with how many rows break them; tables that hold the text. */
export async function findBroken(query: OpenService['query'], canary: string): Promise<string[]> {
  const broken: string[] = [];
  for (const [rule, search] of Object.entries(RULES)) {
    const rows = await query(search);
    if (rows.length > 0) broken.push(`${rule}: ${rows.length} rows, such as ${JSON.stringify(rows[0])}`);
  }
  for (const table of WITHOUT_SESSIONS) {
    const rows = await query(`SELECT FROM ${table} t WHERE t::text LIKE '%' || $1 || '%'`, [canary]);
    if (rows.length > 0) broken.push(`${table} holds a piece of a session in ${rows.length} rows`);
  }
  return broken;
}
