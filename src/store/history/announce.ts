import { createHash, randomUUID } from 'node:crypto';
import type { EventType } from '../../../contracts/events.js';
import type { Sql } from '../database.js';

/** An event of no account in particular. */
export interface Announcement {
  /** Names what is announced, so that it is announced once however often; absent: every time. */
  name?: string;
  type: EventType;
  data: Record<string, unknown>;
}

/** Appends events; answers how many had not been announced before. */
export async function announce(sql: Sql, announcements: readonly Announcement[]): Promise<number> {
  if (announcements.length === 0) return 0;
  const rows = announcements.map(({ name, type, data }) => ({
    event_id: name === undefined ? randomUUID() : nameId(name),
    type,
    data,
  }));
  return sql.$executeRaw`
    INSERT INTO events (event_id, type, data, occurred_at)
    SELECT c.event_id, c.type, c.data, date_trunc('milliseconds', clock_timestamp())
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS c(event_id uuid, type text, data jsonb)
    ON CONFLICT (event_id) DO NOTHING`;
}

/** The same id for the same name, in the form of a UUID (version 8: of one's own making, RFC 9562). */
export function nameId(name: string): string {
  const hex = createHash('sha256').update(`account-manager/${name}`).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
