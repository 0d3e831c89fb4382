/**
 * The URLs of a comma-separated list, in its order. Only a comma before a scheme separates: passwords and paths may hold
 * commas, too.
 */
export const splitUrls = (list: string): string[] => list.trim().split(/\s*,\s*(?=[a-z]+:\/\/)/);

/** The first of them, which tells what is the same in all: user and path. */
export const firstUrl = (list: string): URL => new URL(splitUrls(list)[0] ?? '');
