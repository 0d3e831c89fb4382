/** Possible meanings of an operator's search; null: it cannot be that. */
export interface SearchTerms {
  /** Ids that begin so: the first and the last of them. */
  ids: { first: string; last: string } | null;
  /** A part of a phone number, 4 digits or more. */
  phonePart: string | null;
  /** The service that has the account. */
  service: string | null;
}

const ID_DIGITS = 32;

/** Reads what somebody has typed: an account id or its beginning, a phone number or a part of it, a service name. */
export function readSearch(given: string): SearchTerms {
  const text = given.trim().toLowerCase();
  const hex = text.replaceAll('-', '');
  const isId = /^[0-9a-f]{1,32}$/.test(hex) && /^[0-9a-f][0-9a-f-]*$/.test(text);
  const digits = text.replaceAll(/[\s().+/-]/g, '');
  return {
    ids: isId ? { first: hex.padEnd(ID_DIGITS, '0'), last: hex.padEnd(ID_DIGITS, 'f') } : null,
    phonePart: /^\d{4,20}$/.test(digits) ? digits : null,
    service: /^[a-z0-9._-]{1,100}$/.test(text) ? text : null,
  };
}
