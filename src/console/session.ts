import { signal } from '@preact/signals';
import type { ConsoleSession } from '../../contracts/console.js';
import type { OperationName } from '../../contracts/operations.js';

/** The caller that has logged in, with its rights; null: nobody; undefined: not known yet. */
export const session = signal<ConsoleSession | null | undefined>(undefined);

/** Whether the operation is among those of the caller's token. */
export const may = (operation: OperationName): boolean => session.value?.operations[operation] !== undefined;

/** The token is not valid any more, or was given back. */
export const endSession = (): void => {
  session.value = null;
};
