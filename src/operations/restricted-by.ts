import type { ReplyBody } from '../../contracts/operations.js';
import type { RestrictionRow } from '../store/history/restrictions.js';

/** The cause of an account's present condition, as views tell it. */
export const toRestrictedBy = (
  row: RestrictionRow | undefined,
): ReplyBody<'query.explain'>['accounts'][number]['restricted_by'] =>
  row === undefined ? null : { classified_as: row.error_class, telegram_error: row.telegram_error, reason: row.reason };
