import type { Settings } from './options.js';
import type { Requests } from './requests.js';

/** The things that the parts of a client share. */
export interface Core {
  requests: Requests;
  settings: Settings;
  /** Aborts when the client is closed. */
  closing: AbortSignal;
  /** Has `close` wait for work that nobody else waits for. */
  background(work: Promise<unknown>): void;
}
