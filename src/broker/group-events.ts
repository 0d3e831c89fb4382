/**
 * Splits events, in order, into groups that may each be published at once: none holds two events of one account, so
 * that one event refused by the broker cannot be overtaken by the account's next. Events of no account are free.
 */
export function groupEvents<T extends { accountId: string | null }>(events: readonly T[]): T[][] {
  const groups: T[][] = [];
  const groupsUsed = new Map<string, number>();
  for (const event of events) {
    const index = event.accountId === null ? 0 : (groupsUsed.get(event.accountId) ?? 0);
    if (event.accountId !== null) groupsUsed.set(event.accountId, index + 1);
    const group = groups[index];
    if (group === undefined) groups.push([event]);
    else group.push(event);
  }
  return groups;
}
