import { randomUUID } from 'node:crypto';

/**
 * A module of the caller's own, loaded now: for tests of how a module loads. The one that `import` gives may have been
 * loaded by another test file.
 * @param file a URL, from `new URL('…', import.meta.url)`
 */
export const importAnew = async <T>(file: URL): Promise<T> => (await import(`${file.href}?own=${randomUUID()}`)) as T;
