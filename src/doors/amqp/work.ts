import { waitAtMost } from '../../broker/wait-at-most.js';
import { readHeader } from './envelope.js';
import { createSuspectLane, isSuspect } from './suspects.js';
import type { Task } from './tasks.js';

/** Messages received and not yet settled. */
export interface Work {
  /** Serves a task while its channel lives. A task that may have ended its consumers is served alone. */
  begin: (task: Task, serve: () => Promise<void>) => void;
  size: () => number;
  /** Resolves when all that is in work now is settled, or after `timeoutMs`. */
  settle: (timeoutMs: number) => Promise<void>;
}

/** @param stopping aborts when the door stops: suspects that wait for their turn are not served then */
export function createWork(stopping: AbortSignal): Work {
  const inWork = new Set<Promise<void>>();
  const unsuspected = new Set<Promise<void>>();
  const suspects = createSuspectLane({ others: () => unsuspected, stopping });
  return {
    begin: (task, serve) => {
      const { delivery } = task;
      const { message } = delivery;
      const serveLive = () => (delivery.isLive() ? serve() : Promise.resolve());
      const deliveries = readHeader(message, 'x-delivery-count');
      const suspected = isSuspect(message.fields.redelivered, deliveries);
      const work = (suspected ? suspects.serve(deliveries, serveLive) : serveLive()).finally(() => {
        task.leave();
        inWork.delete(work);
        unsuspected.delete(work);
      });
      inWork.add(work);
      if (!suspected) unsuspected.add(work);
    },
    size: () => inWork.size,
    settle: (timeoutMs) => waitAtMost(Promise.all(inWork), timeoutMs),
  };
}
