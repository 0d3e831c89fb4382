/** A field whose value cannot be taken. Its message never quotes the value. */
export class FieldFault extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** A value that says nothing, as an empty cell does. */
export const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

/** The text of a plain value; of an object, which no such field is, its JSON. */
export const toText = (value: unknown): string =>
  typeof value === 'string' ? value.trim() : isEmpty(value) ? '' : JSON.stringify(value);

/** The parsed value where the text is a JSON object or array, such as a proxy; any other value as it is. */
export function toValue(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

export function toObject(field: string, value: unknown): Record<string, unknown> {
  if (isEmpty(value)) return {};
  const parsed = toValue(value);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new FieldFault(field, 'must be a JSON object');
}
