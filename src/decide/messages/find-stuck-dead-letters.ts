/** A queue, in the words of the broker's management API. */
export interface DyingQueue {
  name: string;
  /** Messages that expired or were delivered too often and are not yet where dead letters go; classic queues have none. */
  messages_dlx?: number;
}

/** The queues from which dead letters no longer get away: as many as at the look before, or more. */
export function findStuckDeadLetters<Q extends DyingQueue>(now: readonly Q[], before: readonly DyingQueue[]): Q[] {
  const left = new Map(before.map(({ name, messages_dlx = 0 }) => [name, messages_dlx]));
  return now.filter(({ name, messages_dlx = 0 }) => {
    const earlier = left.get(name) ?? 0;
    return earlier > 0 && messages_dlx >= earlier;
  });
}
