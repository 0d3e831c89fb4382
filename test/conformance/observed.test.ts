import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parkedReply } from '../../contracts/parked.js';
import { EXCHANGES } from '../../contracts/topology.js';
import type { CloudEvent } from '../../contracts/events.js';
import { eventually } from '../support/eventually.js';
import { bringAbout, succeed } from './bring-about.js';
import { DOORS, type OpenService, openService } from './open-service.js';

let open: OpenService;
const events: { event: CloudEvent; header: unknown }[] = [];

beforeAll(async () => {
  open = await openService({ LOG_LEVEL: 'debug', HTTP_HOST: '0.0.0.0' });
  const { channel } = open.rpc;
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.events.name, '#');
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      const event = JSON.parse(message.content.toString()) as CloudEvent;
      events.push({ event, header: message.properties.headers?.['traceparent'] });
    },
    { noAck: true },
  );
});
afterAll(() => open.close());

test.each(DOORS)('a trace that comes in by %s goes on into the reply, the log and the events', async (door) => {
  const traceId = door === 'amqp' ? 'a'.repeat(32) : 'b'.repeat(32);
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const { account_id } = await bringAbout(open, 'free', 'traced-service');
  const body = { account_id, status: 'draining', reason: 'traced' };
  expect((await open.send(door, 'admin.set-status', body, { traceparent })).traceparent).toContain(traceId);

  const linesOfTrace = () =>
    open.service
      .log()
      .split('\n')
      .filter((line) => line.includes(traceId));
  // The log comes through a pipe, and may be later than the reply.
  await eventually('the line', () => linesOfTrace().length > 0);
  const lines = linesOfTrace();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      message: 'request answered',
      operation: 'admin.set-status',
      trace_id: traceId,
      account_id,
    }),
  ]);
  const find = () => events.find(({ event }) => event.type === 'account.draining' && event.subject === account_id);
  await eventually('the event', () => find() !== undefined);
  expect(find()?.event.traceparent).toContain(traceId);
  expect(find()?.header).toBe(find()?.event.traceparent);
});

test.each(DOORS)('a parked message is found by %s, shown and discarded', async (door) => {
  const messageId = randomUUID();
  const invalid = { account_id: 'nobody', mark: door };
  expect((await open.send('amqp', 'account.release', invalid, { messageId })).codeHeader).toBe('VALIDATION_FAILED');
  const ask = async (body: Record<string, unknown>) => {
    const { reply } = await open.send(door, 'admin.parked', body, { messageId: randomUUID() });
    return parkedReply.parse(Object.fromEntries(Object.entries(reply).filter(([name]) => name !== 'success')));
  };
  const find = async () => (await ask({ action: 'list' })).messages.find((message) => message.message_id === messageId);
  const parked = await eventually('it is parked', find);
  expect(parked).toMatchObject({ operation: 'account.release', code: 'VALIDATION_FAILED', obstacle: null });
  const ids = { parked_ids: [parked?.parked_id] };
  expect(JSON.parse((await ask({ action: 'show', ...ids })).messages[0]?.body ?? '')).toEqual(invalid);
  const replayed = await ask({ action: 'replay', ...ids });
  expect(replayed.results).toMatchObject([{ outcome: 'kept', code: 'VALIDATION_FAILED' }]);
  const discarded = await ask({ action: 'discard', ...ids, reason: 'a typing error' });
  expect(discarded.results).toMatchObject([{ outcome: 'discarded' }]);
  expect(await find()).toBeUndefined();
});

test('the metrics of an operator show what happened', async () => {
  const held = await bringAbout(open, 'held', 'watched-service');
  const { account_id, lease_id, fence } = held;
  const holder = { account_id, lease_id, fence, service_name: 'watched-service' };
  await succeed(open, 'action.acquire', { ...holder, action_type: 'invite' });
  await succeed(open, 'action.acquire', { ...holder, action_type: 'invite' });
  await open.send('http', 'account.renew', { ...holder, fence: 999 });
  await succeed(open, 'account.error', { ...holder, error_type: 'FLOOD_WAIT_30' });

  const text = await (await fetch(`${open.service.httpUrl}/metrics`)).text();
  const lines = text.split('\n');
  for (const line of [
    'account_manager_limit_remaining_ratio_count{action="invite"} 1',
    'account_manager_refusals_total{operation="action.acquire",code="",rule="cooldown"} 1',
    'account_manager_fence_rejections_total{operation="account.renew"} 1',
    'account_manager_errors_total{class="flood_wait"} 1',
    'account_manager_allocations_total{service="watched-service",purpose="invite_campaign",outcome="success"} 1',
    'account_manager_dependency_up{dependency="database"} 1',
  ]) {
    expect(lines).toContain(line);
  }
});

test('without an access file everybody may do everything: it says so, and listens on this machine only', async () => {
  const { log, httpUrl } = open.service;
  expect(log()).toMatch(/"level":"warn".*IDENTITY IS OFF/);
  expect(log()).toMatch(/"level":"warn".*HTTP_HOST IS NOT USED/);
  // An address of this machine, too, but not the one that is listened on.
  await expect(fetch(httpUrl.replace('127.0.0.1', '127.0.0.2'))).rejects.toThrow();
  for (const door of DOORS)
    expect((await open.send(door, 'query.status', {})).reply).toMatchObject({ identity: 'off' });
  const detailed = await fetch(`${httpUrl}/api/v1/health/detailed`);
  const answers = { status: 'healthy', latency_ms: expect.any(Number) };
  expect(await detailed.json()).toMatchObject({
    identity: 'off',
    components: { database: answers, broker: answers, redis: answers },
  });
});
