import { COLUMN_NAMES, type Field, fieldOf, METADATA_PREFIX, UNCARRIED } from './columns.js';
import type { SourceRow } from './source-row.js';
import { decodeSession } from './decode-session.js';
import { type Standing, standingOf } from './standing.js';
import { FieldFault, isEmpty, toObject, toText, toValue } from './values.js';

/** An account as `admin.register` takes it. */
export interface ImportedAccount extends Standing {
  account_id?: string;
  user_id: number;
  phone?: string;
  session_data: string;
  metadata?: Record<string, unknown>;
}

export interface MappingOptions {
  /** Milliseconds. */
  now: number;
  /** The source's column for a field of ours. */
  map: ReadonlyMap<Field, string>;
  /** The user whose accounts they are where the source does not say it. */
  userId: number | undefined;
  /** Unknown columns are refused, passed over, or kept as metadata. */
  unknown: 'refuse' | 'ignore' | 'metadata';
  /** Opens `session_sealed` of an export; null: there is no key for it. */
  open: ((sealed: string, accountId: string) => SealedAccount | null) | null;
}

/** The part of an account that an export seals. */
export interface SealedAccount {
  session_data: string;
  metadata: Record<string, unknown>;
}

/** An account to register, or the reason why it cannot be taken. `notes` tell decisions where the source leaves something open. */
export type Mapped = { account: ImportedAccount; notes: string[] } | { field: string | null; reason: string };

/** Reads a row of any source. Its session is judged by the service. */
export function toAccount(row: SourceRow, options: MappingOptions): Mapped {
  if (row.fault !== undefined) return { field: null, reason: row.fault };
  try {
    const { values, metadata } = sortColumns(row, options);
    openSession(values, metadata, options);
    const session = decodeSession(values.get('session_data'));
    if (session === null) return { field: 'session_data', reason: 'session_data: is missing' };
    const { standing, notes } = standingOf(values, options.now);
    return {
      account: {
        ...textField(values, 'account_id'),
        user_id: toUserId(values.get('user_id') ?? options.userId),
        ...textField(values, 'phone'),
        session_data: session,
        ...(Object.keys(metadata).length > 0 && { metadata }),
        ...standing,
      },
      notes,
    };
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    return { field: error.field, reason: `${error.field}: ${error.message}` };
  }
}

/** Puts what an export has sealed beside the rest. */
function openSession(values: Map<Field, unknown>, metadata: Record<string, unknown>, { open }: MappingOptions): void {
  const sealed = values.get('session_sealed');
  if (sealed === undefined) return;
  if (open === null) throw new FieldFault('session_sealed', 'needs the key of the export: --sealed-with');
  const opened = open(toText(sealed), toText(values.get('account_id')));
  if (opened === null) {
    throw new FieldFault('session_sealed', 'was sealed under another key, for another account, or is damaged');
  }
  values.set('session_data', opened.session_data);
  Object.assign(metadata, opened.metadata);
}

function sortColumns(row: SourceRow, { map, unknown }: MappingOptions) {
  const values = new Map<Field, unknown>();
  const metadata: Record<string, unknown> = {};
  const mapped = new Map([...map].map(([field, column]) => [column, field]));
  for (const [column, value] of Object.entries(row.fields)) {
    const field = mapped.get(column) ?? fieldOf(column);
    if (field === 'metadata') Object.assign(metadata, toObject('metadata', value));
    else if (field !== null) {
      if (!isEmpty(value) && (!values.has(field) || mapped.has(column))) values.set(field, value);
    } else if (isEmpty(value) || UNCARRIED.has(column)) continue;
    else if (column.startsWith(METADATA_PREFIX)) metadata[column.slice(METADATA_PREFIX.length)] = toValue(value);
    else if (unknown === 'metadata') metadata[column] = toValue(value);
    else if (unknown === 'refuse') {
      throw new FieldFault(
        column,
        `is no column that is known (${COLUMN_NAMES.join(', ')}); --map names another's, --unknown says what to do with the rest`,
      );
    }
  }
  return { values, metadata };
}

function toUserId(value: unknown): number {
  if (value === undefined) throw new FieldFault('user_id', 'is missing; --user gives it to all rows without one');
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw new FieldFault('user_id', 'must be a whole number, 0 or more');
  }
  return number;
}

const textField = (
  values: ReadonlyMap<Field, unknown>,
  field: 'account_id' | 'phone',
): { [K in typeof field]?: string } => {
  const value = values.get(field);
  return typeof value === 'string' || typeof value === 'number' ? { [field]: String(value) } : {};
};
