import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EXAMPLES } from '../../contracts/examples.js';
import { EXAMPLE, type Example } from '../../contracts/examples/example.js';
import { failureReply } from '../../contracts/failures.js';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operations.js';
import { successSchema } from '../../scripts/contracts/schemas.js';
import { bind, bringAbout, succeed } from './bring-about.js';
import { DOORS, type OpenService, openService } from './open-service.js';

let open: OpenService;
beforeAll(async () => {
  open = await openService();
});
afterAll(() => open.close());

const CASES = DOORS.flatMap((door) =>
  OPERATION_NAMES.flatMap((operation) =>
    (EXAMPLES[operation] as readonly Example<OperationName>[]).map((example) => ({ door, operation, ...example })),
  ),
);

test.each(CASES)('$door $operation: $name', async ({ door, operation, given, request, reply }) => {
  const bindings = await bringAbout(open, given, EXAMPLE.serviceName);
  const answer = await open.send(door, operation, bind(request, bindings) as Record<string, unknown>);
  expect((reply.success ? successSchema(operation) : failureReply).safeParse(answer.reply).error).toBeUndefined();
  // The very reply, but for what differs from fleet to fleet and from moment to moment.
  expect(outlineOf(answer.reply)).toEqual(outlineOf(reply));
  await succeed(open, 'account.release-all', { service_name: EXAMPLE.serviceName });
});

/** Fields in which other tests leave their traces. */
const OF_THE_FLEET = new Set([
  'locked_by_services',
  'locked_by_service',
  'next_recovery_at',
  'leases_by_service',
  'identity',
  'refusals',
  'services',
  'waits',
  'alerts',
]);

/** A reply without its numbers, ids, instants and secrets. */
function outlineOf(value: unknown, key = ''): unknown {
  if (OF_THE_FLEET.has(key)) return 'of the fleet';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'string') {
    if (['phone', 'session_data', 'position', 'next_after'].includes(key)) return key;
    return value
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'instant')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id');
  }
  if (Array.isArray(value)) return value.map((element) => outlineOf(element));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, outlineOf(inner, name)]),
  );
}
