import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { fleetReport, runJobReply } from '../../contracts/jobs.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { createRedis, type TestRedis } from '../support/redis.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

let database: TestDatabase;
let redis: TestRedis;
let vhost: TestVhost;
let service: RunningService;
let client: RpcClient;

beforeAll(async () => {
  [database, redis, vhost] = await Promise.all([createDatabase(), createRedis(), createVhost()]);
  service = await startService({ DATABASE_URL: database.url, REDIS_URL: redis.url, RABBITMQ_URL: vhost.url });
  client = await connectRpc(vhost.url);
});
afterAll(async () => {
  await client.close();
  await service.stop();
  await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
});

test('a job is run by hand through both doors, in a worker thread, and is seen in the metrics', async () => {
  const messageId = randomUUID();
  const { success, ...fields } = await client.call('admin.run-job', { job: 'report' }, { messageId });
  expect(success).toBe(true);
  expect(runJobReply.parse(fields)).toMatchObject({ job: 'report', state: 'done', counts: { published: 1 } });
  expect(await client.call('admin.run-job', { job: 'report' }, { messageId })).toEqual({ success, ...fields });

  const url = `${service.httpUrl}/api/v1/account-manager`;
  const response = await fetch(`${url}/maintenance/process-recoveries`, { method: 'POST' });
  expect(response.status).toBe(200);
  const { success: _, ...answer } = (await response.json()) as Record<string, unknown>;
  expect(runJobReply.parse(answer)).toMatchObject({ state: 'done', counts: { recovered: 0 } });

  const { report } = (await (await fetch(`${url}/report`)).json()) as { report: unknown };
  const parsed = fleetReport.parse(report);
  expect(parsed.total_accounts).toBe(0);
  expect((await client.call('query.report', { report_id: parsed.report_id })) as unknown).toEqual({
    success: true,
    report,
  });

  const metrics = await (await fetch(`${service.httpUrl}/metrics`)).text();
  expect(metrics).toContain('account_manager_job_runs_total{job="report",outcome="done"} 1');
  expect(metrics).toContain('account_manager_job_runs_total{job="process-recoveries",outcome="done"} 1');
  expect(metrics).toContain('account_manager_alerts_active{alert="blocked_share",severity="critical"} 0');
  expect(metrics).toMatch(/account_manager_job_last_success_timestamp_seconds\{job="report"\} \d{10}/);
});

test('an instance that is stopped ends in order, with nothing left running', async () => {
  // Answered how it stands, or given back to its queue: both are in order.
  const run = client.ask('admin.run-job', { job: 'health-scan' }, { timeoutMs: 2_000 }).catch(() => null);
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  for (let asked = 0; asked === 0; )
    asked = (await reader.query(`SELECT 1 FROM job_runs WHERE job = 'health-scan' AND request_key IS NOT NULL`))
      .rowCount!;
  await reader.end();
  expect(await service.stop()).toBe(0);
  await run;
  expect(service.log()).not.toMatch(/"level":"error"/);
});
