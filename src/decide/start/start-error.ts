/** Why the service cannot start, in one sentence for the operator; waiting does not mend it. */
export class StartError extends Error {
  constructor(cause: string) {
    super(cause);
    this.name = 'StartError';
  }
}
