/** Where in the serving of a request a process can be made to die. */
export type FailPoint = 'before-commit' | 'after-commit' | 'after-reply';

/** Which request is to be the last: the first of an operation that comes to the point, or the one of a message id. */
export interface FailPointWanted {
  operation: string;
  point: FailPoint;
  messageId: string | null;
}

/** Says that a request has come to a point. */
export type Reach = (point: FailPoint, operation: string, messageId: string | null) => void;

/**
 * For tests of what a crash loses or doubles: ends this process, as `kill -9` would, when the request wanted comes to
 * its point. Undefined where none is wanted.
 */
export function createFailPoint(wanted?: FailPointWanted): Reach | undefined {
  if (wanted === undefined) return undefined;
  return (point, operation, messageId) => {
    if (wanted.point !== point || wanted.operation !== operation) return;
    if (wanted.messageId === null || wanted.messageId === messageId) process.kill(process.pid, 'SIGKILL');
  };
}
