type Act = () => void | Promise<void>;

/** Takes what is to be done once the fate of a transaction is known. None of it may reject. */
export interface CommitHooks {
  afterCommit: (act: Act) => void;
  afterRollback: (act: Act) => void;
}

/**
 * Runs a transaction, then what it has left for its end: at once and together. Resolves when all of that is done, and
 * rejects as the transaction does.
 * @param options.waits false: resolves at the commit, and what is left for it goes on
 */
export async function withHooks<T>(
  run: (hooks: CommitHooks) => Promise<T>,
  { waits = true }: { waits?: boolean | undefined } = {},
): Promise<T> {
  const committed: Act[] = [];
  const rolledBack: Act[] = [];
  const doAll = (acts: readonly Act[]) => Promise.all(acts.map(async (act) => act()));
  let result: T;
  try {
    result = await run({
      afterCommit: (act) => void committed.push(act),
      afterRollback: (act) => void rolledBack.push(act),
    });
  } catch (error) {
    await doAll(rolledBack);
    throw error;
  }
  const done = doAll(committed);
  if (waits) await done;
  return result;
}
