import type { OperationName, ReplyBody } from '../../../contracts/operations.js';
import { type Finding, findingsOf } from '../../decide/doctor/finding.js';
import { judgeService, type ServiceFacts } from '../../decide/doctor/judge-service.js';
import type { Fields } from '../client.js';
import type { Context } from '../context.js';
import { readEnvironment } from '../environment.js';
import { CommandError, EXIT } from '../exit.js';

const { warn, fail } = findingsOf('service');

/** Asks the service how it is. */
export async function askService(context: Context): Promise<Finding[]> {
  const { client, now } = context;
  const { url, isGuessed } = client.connection;
  try {
    const { body, date } = await client.get('/health/ready');
    const clockSkewMs = date === null ? null : Date.parse(date) - now();
    const [status, jobs, alerts, parked] = await Promise.all([
      askFor(context, 'query.status', {}),
      askFor(context, 'query.jobs', { runs: 1 }),
      askFor(context, 'query.alerts', { limit: 100 }),
      readEnvironment().hasSettings ? null : askFor(context, 'admin.parked', { action: 'list', limit: 1 }),
    ]);
    return judgeService({
      url,
      readiness: readReadiness(body),
      clockSkewMs,
      status,
      jobs: typeof jobs === 'string' ? jobs : jobs.jobs,
      alerts: typeof alerts === 'string' ? alerts : alerts.alerts,
      parked: typeof parked === 'string' ? parked : (parked?.total ?? null),
    });
  } catch (error) {
    if (!(error instanceof CommandError) || error.exit !== EXIT.unreachable) throw error;
    const cure = 'start the service, or name it with --url';
    return [isGuessed ? warn('answers', error.message, cure) : fail('answers', error.message, cure)];
  }
}

/** The answer, or why there is none. */
async function askFor<K extends OperationName>(
  { client }: Context,
  operation: K,
  fields: Fields,
): Promise<ReplyBody<K> | string> {
  try {
    return await client.ask(operation, fields);
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

const readReadiness = (body: unknown): ServiceFacts['readiness'] =>
  typeof body === 'object' && body !== null && 'ready' in body && 'checks' in body
    ? (body as ServiceFacts['readiness'])
    : null;
