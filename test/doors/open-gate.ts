import { type AccessPolicy, parseAccess } from '../../src/decide/access/access-policy.js';
import { createGate } from '../../src/doors/gate.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

const gateWith = (policy: AccessPolicy | null) =>
  createGate({
    access: { policy: () => policy },
    metrics: createMetrics(),
    log: createLog({ level: 'error', instance: 'test' }),
  });

/** Lets everybody in, as without an access file. */
export const openGate = gateWith(null);

/** Lets in those whom an access file lists. */
export function gateOf(services: object[]) {
  const parsed = parseAccess({ services }, null);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return gateWith(parsed.policy);
}
