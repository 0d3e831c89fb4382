import { createHook } from 'node:async_hooks';

/** Resources that keep a process alive or fire later; promises and ticks do neither. */
const KINDS = new Set(['Timeout', 'TCPWRAP', 'TCPCONNECTWRAP', 'PIPEWRAP', 'GETADDRINFOREQWRAP']);

interface Internals {
  _getActiveHandles: () => unknown[];
}
const activeHandles = (): unknown[] => (process as unknown as Internals)._getActiveHandles();
const activeResources = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

/** Jest paints its progress by timers of its own, in this process. */
const isOfJest = (): boolean => new Error().stack?.includes('/node_modules/@jest/') ?? false;

/**
 * Runs `work` and lists the resources that it has left: those beyond the ones before it, and every timer and socket
 * made during it that is not gone, unreferenced ones too. `settle` waits for what is not the work's own, such as a
 * server's side of its connections.
 */
export async function leftBehind(work: () => Promise<void>, settle: () => Promise<void>): Promise<string[]> {
  const made = new Map<number, string>();
  const hook = createHook({
    init: (id, kind) => {
      if (KINDS.has(kind) && !isOfJest()) made.set(id, kind);
    },
    destroy: (id) => void made.delete(id),
  });
  const handlesBefore = new Set(activeHandles());
  const resourcesBefore = activeResources();
  hook.enable();
  await work();
  await settle();
  // Destroy hooks are called after the turn of the loop in which a thing ended.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  hook.disable();
  const handles = activeHandles().filter((handle) => !handlesBefore.has(handle));
  // Immediates are over; timers are known one by one.
  const resources = Object.entries(activeResources()).filter(
    ([kind, count]) => !['Immediate', 'Timeout'].includes(kind) && count > (resourcesBefore[kind] ?? 0),
  );
  return [
    ...made.values(),
    ...handles.map((handle) => `handle ${(handle as object).constructor.name}`),
    ...resources.map(([kind, count]) => `${count} ${kind}`),
  ];
}
