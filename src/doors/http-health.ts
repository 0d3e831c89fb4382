import type { FastifyInstance } from 'fastify';
import type { Log } from '../telemetry/log.js';

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
}

/** Serves `/health/live`, `/health/ready` and `/api/v1/health/detailed`. */
export const serveHealth = (app: FastifyInstance, { readiness, detailedHealth }: HealthSource, log: Log): void => {
  // An answer at all is the proof: the event loop turns.
  app.get('/health/live', () => ({ status: 'alive' }));

  app.get('/health/ready', async (_request, reply) => {
    const state = await readiness().catch((error: unknown): Readiness => {
      log.error('readiness could not be found out', { error });
      return { ready: false, checks: { readiness: { ok: false, detail: 'could not be found out' } } };
    });
    return reply.code(state.ready ? 200 : 503).send(state);
  });

  if (detailedHealth === undefined) return;
  app.get('/api/v1/health/detailed', async (_request, reply) => {
    const health = await detailedHealth();
    return reply.code(health.status === 'unhealthy' ? 503 : 200).send(health);
  });
};
