import { id } from '../../contracts/fields.js';

/** Plain hexadecimal (`uuid4().hex`), in braces (.NET), as a URN, and in quotes, as structured HTTP fields are written. */
const FORMS =
  /^\s*"?(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?"?\s*$/i;

/** The UUID that a `message_id` or `Idempotency-Key` names, in lower case with hyphens; null where it names none. */
export function readMessageId(given: string): string | null {
  const [, ...groups] = FORMS.exec(given) ?? [];
  return id.safeParse(groups.join('-')).data ?? null;
}
