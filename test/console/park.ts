import { randomUUID } from 'node:crypto';
import { PARKED } from '../../contracts/topology.js';
import type { OpenService } from '../conformance/open-service.js';

/** Puts a message aside as the service does it, in the name of `inviting`. */
export async function park({ rpc }: OpenService, operation: string, body: object, code = 'INTERNAL'): Promise<void> {
  rpc.channel.sendToQueue(PARKED.name, Buffer.from(JSON.stringify(body)), {
    contentType: 'application/json',
    messageId: randomUUID(),
    userId: 'guest',
    headers: {
      'x-error-code': code,
      'x-error-message': 'the database lost its connection three times',
      'x-original-routing-key': operation,
      'x-original-user-id': 'inviting',
      'x-parked-at': new Date().toISOString(),
    },
  });
  await rpc.channel.waitForConfirms();
}
