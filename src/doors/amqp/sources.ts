import type { Channel } from 'amqplib';
import { DEAD_LETTERS, REQUEST_QUEUE_KEYS, REQUEST_QUEUES } from '../../../contracts/topology.js';
import type { Delivery } from '../../broker/consume.js';
import { declareDeadLetters, declareRequestQueue } from '../../broker/topology.js';
import { type Reader, readDeadLetter, readRequest, type Task } from './tasks.js';

/** A queue the door consumes, and how its messages become tasks. */
export interface Source {
  queue: string;
  prefetch: number;
  declare: (channel: Channel) => Promise<void>;
  read: (delivery: Delivery) => Task;
}

/** The request queues, and the dead letters. */
export function listSources(reader: Reader): Source[] {
  return [
    ...REQUEST_QUEUE_KEYS.map(
      (key): Source => ({
        queue: REQUEST_QUEUES[key].name,
        prefetch: REQUEST_QUEUES[key].prefetch,
        declare: (channel) => declareRequestQueue(channel, key),
        read: (delivery) => readRequest(delivery, key, reader),
      }),
    ),
    {
      queue: DEAD_LETTERS.name,
      prefetch: DEAD_LETTERS.prefetch,
      declare: declareDeadLetters,
      read: (delivery) => readDeadLetter(delivery, reader),
    },
  ];
}
