import { toIso } from '../clock.js';

/** An instant as the contract writes it, where there is one. */
export const isoOrNull = (at: number | null): string | null => (at === null ? null : toIso(at));
