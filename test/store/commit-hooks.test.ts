import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type CommitHooks, withHooks } from '../../src/store/commit-hooks.js';

/** Notes what was done; each act takes a turn of the event loop. */
function createNotes() {
  const done: string[] = [];
  const act = (name: string) => async () => {
    await nextTurn();
    done.push(name);
  };
  const leave = ({ afterCommit, afterRollback }: CommitHooks): void => {
    afterCommit(act('committed'));
    afterCommit(act('committed too'));
    afterRollback(act('rolled back'));
  };
  return { done, leave };
}

test('acts for the commit are done when it resolves, and none for the rollback', async () => {
  const { done, leave } = createNotes();
  const result = await withHooks((hooks) => {
    leave(hooks);
    expect(done).toEqual([]);
    return Promise.resolve(7);
  });
  expect(result).toBe(7);
  expect(done).toEqual(['committed', 'committed too']);
});

test('acts for the rollback are done when it rejects, and none for the commit', async () => {
  const { done, leave } = createNotes();
  const fault = new Error('the commit failed');
  const running = withHooks((hooks) => {
    leave(hooks);
    return Promise.reject(fault);
  });
  await expect(running).rejects.toBe(fault);
  expect(done).toEqual(['rolled back']);
});
