/** Is told what a look at the broker has found and mended. */
export interface BrokerWatchObserver {
  waiting?(queue: string, messages: number): void;
  /** Dead letters that do not get away from a queue; told only where the management API answers. */
  stuck?(queue: string, messages: number): void;
  problems?(count: number): void;
  repaired?(what: 'queue' | 'consumer' | 'topology'): void;
}
