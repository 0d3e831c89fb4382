/** Facts of an account, by the names that `admin.register` and the predecessor's table have for them. */
const FIELDS = [
  'account_id',
  'user_id',
  'phone',
  'session_data',
  'session_sealed',
  'metadata',
  'status',
  'is_active',
  'disabled_reason',
  'flood_wait_until',
  'blocked_until',
  'usage',
  'used_invites_today',
  'used_messages_today',
  'contacts_today',
  'per_channel_invites',
  'counters_day',
  'last_used_at',
  'locked',
  'locked_until',
] as const;
export type Field = (typeof FIELDS)[number];

export const isField = (name: string): name is Field => (FIELDS as readonly string[]).includes(name);

/** Other names for the same. */
const ALIASES: Readonly<Record<string, Field>> = {
  id: 'account_id',
  phone_number: 'phone',
  session: 'session_data',
  session_string: 'session_data',
  string_session: 'session_data',
  session_metadata: 'metadata',
  used_contacts_today: 'contacts_today',
  last_limit_reset: 'counters_day',
  reset_at: 'counters_day',
  usage_date: 'counters_day',
};

/** `metadata.proxy` is the metadata's `proxy`. */
export const METADATA_PREFIX = 'metadata.';

/** Columns of the predecessor that say nothing here: limits are the service's own, and the rest is for people. */
export const UNCARRIED: ReadonlySet<string> = new Set([
  'created_at',
  'updated_at',
  'locked_by',
  'error_count',
  'last_error',
  'last_error_at',
  'health_score',
  'daily_invite_limit',
  'daily_message_limit',
  'contacts_daily_limit',
  'per_channel_invite_limit',
  'max_per_channel_total',
]);

export const fieldOf = (column: string): Field | null => {
  const name = column.trim().toLowerCase();
  return isField(name) ? name : (ALIASES[name] ?? null);
};

/** For a person. */
export const COLUMN_NAMES: readonly string[] = [...FIELDS, `${METADATA_PREFIX}*`];
