import type { FastifyInstance } from 'fastify';
import type { OperationName } from '../../../contracts/operations.js';
import type { Log } from '../../telemetry/log.js';
import type { Gate } from '../gate.js';
import { answer } from './answer.js';
import { callerOf } from './caller.js';

/** Whether this instance should be sent work, and why not. */
export interface Readiness {
  ready: boolean;
  checks: Record<string, { ok: boolean; detail?: string; latency_ms?: number }>;
}

/** The state of the whole in the predecessor's form; `unhealthy` is answered 503. */
export interface DetailedHealth extends Record<string, unknown> {
  status: 'healthy' | 'degraded' | 'unhealthy';
}

export interface HealthSource {
  readiness: () => Promise<Readiness>;
  detailedHealth?: () => Promise<DetailedHealth>;
  gate: Gate;
  log: Log;
}

/**
 * Serves `/health`, `/health/live` and `/health/ready` to everybody, for probes have no identity; and `/api/v1/health/detailed`,
 * which asks the database about the whole fleet, to those who may come to this door.
 */
export const serveHealth = (app: FastifyInstance, { readiness, detailedHealth, gate, log }: HealthSource): void => {
  // An answer at all is the proof: the event loop turns.
  app.get('/health/live', () => ({ status: 'alive' }));
  // Where the predecessor was asked.
  app.get('/health', () => ({ status: 'alive' }));

  app.get('/health/ready', async (_request, reply) => {
    const state = await readiness().catch((error: unknown): Readiness => {
      log.error('readiness could not be found out', { error });
      return { ready: false, checks: { readiness: { ok: false, detail: 'could not be found out' } } };
    });
    return reply.code(state.ready ? 200 : 503).send(state);
  });

  if (detailedHealth === undefined) return;
  app.get('/api/v1/health/detailed', async (request, reply) => {
    const { id: requestId } = request;
    // It tells what the operation tells.
    const operation = 'query.status' satisfies OperationName;
    const caller = callerOf(request, gate);
    const entry = gate.enter({ door: 'http', caller, operation, requestId, again: false });
    if (!entry.ok) return answer(reply, entry.refusal);
    reply.raw.once('close', entry.leave);
    const health = await detailedHealth();
    return reply.code(health.status === 'unhealthy' ? 503 : 200).send(health);
  });
};
