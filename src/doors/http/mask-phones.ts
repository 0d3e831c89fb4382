const KEPT_DIGITS = 4;
/** Shorter numbers would be told by their end. */
const MIN_HIDDEN = 3;

/** A phone number as it may be on a screen: its last digits. */
function maskPhone(phone: string): string {
  const shown = Math.max(0, Math.min(KEPT_DIGITS, phone.length - MIN_HIDDEN));
  return '•'.repeat(phone.length - shown) + phone.slice(phone.length - shown);
}

/** The same value with every `phone` in it masked. */
export function maskPhones<T>(value: T): T {
  if (Array.isArray(value)) return value.map(maskPhones) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'phone' && typeof inner === 'string' ? maskPhone(inner) : maskPhones(inner as unknown),
    ]),
  ) as T;
}
