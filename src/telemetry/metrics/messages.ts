import { EVENT_TYPES } from '../../../contracts/events.js';
import { FAILURE_CODES, FAILURES } from '../../../contracts/failures.js';
import { RETRY_STEPS } from '../../../contracts/topology.js';
import type { Instruments } from './instruments.js';

const PARKED_CODES = FAILURE_CODES.filter((code) => FAILURES[code].parked);

/** Messages and events: those that were parked, tried again, lost, published and streamed. */
export const createMessageMetrics = ({ counter, gauge }: Instruments) => ({
  parked: counter('parked_total', 'Messages parked, by failure code', { code: PARKED_CODES }),
  notParked: counter('not_parked_total', 'Messages that the full parked queue did not keep, by failure code', {
    code: PARKED_CODES,
  }),
  retried: counter('retried_total', 'Messages sent to a retry queue, by its delay', {
    step: RETRY_STEPS.map(({ header }) => header),
  }),
  repliesLost: counter(
    'replies_lost_total',
    'Replies to messages that could not be delivered; a repeat of a request that changes state gets the stored one',
  ),
  queueMessages: gauge('queue_messages', 'Messages that wait in a queue of the contract', ['queue']),
  stuckDeadLetters: gauge(
    'stuck_dead_letters',
    'Messages that died in a queue and do not reach the dead letters; told only where RABBITMQ_MANAGEMENT_URL is set',
    ['queue'],
  ),

  eventsPublished: counter('events_published_total', 'Events that the broker has confirmed, by type', {
    type: EVENT_TYPES,
  }),
  publishFailures: counter(
    'event_publish_failures_total',
    'Tries to publish events that failed, wholly or in part; each is made again',
  ),
  streamReaders: gauge('event_stream_readers', 'Readers of the stream of events at this instance'),
  streamsDropped: counter('event_streams_dropped_total', 'Streams of events ended because their reader was too slow'),
});
