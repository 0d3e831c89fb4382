/** Notified with commits: accounts may have become free. */
export const FREED_CHANNEL = 'account_freed';

/** An account of the user is no longer leased. */
export const freedNotice = (userId: number): string => String(userId);
/** An account of the user may be granted again, whether or not it was used of late. */
export const activatedNotice = (userId: number): string => `${userId} active`;

/** The content of a notice. */
export const readNotice = (notice: string): { userId: number; isActivated: boolean } => ({
  userId: Number.parseInt(notice, 10),
  isActivated: notice.endsWith(' active'),
});
