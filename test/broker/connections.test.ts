import { afterEach, expect, test } from '@jest/globals';
import { type Connections, createConnections } from '../../src/broker/connections.js';
import { freePort } from '../support/ports.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createVhost, manage } from '../support/vhost.js';
import { collectLog } from './collect-log.js';
import { eventually } from '../support/eventually.js';

let connections: Connections;
afterEach(() => connections.close());

test('has one connection to consume and one to publish, both named for the operator', async () => {
  const vhost = await createVhost();
  connections = createConnections({ url: vhost.url, instance: 'one', log: collectLog().log });
  await connections.open();
  const up = { connected: true, blocked: false };
  expect(connections.state()).toEqual({ consuming: up, publishing: up });
  await connections.consuming.ask();
  expect(connections.user).toBe(decodeURIComponent(new URL(vhost.url).username) || 'guest');

  const names = await eventually('both are listed', async () => {
    const listed = (await manage('GET', `/api/vhosts/${vhost.name}/connections`)) as {
      client_properties: { connection_name?: string };
    }[];
    return listed.length === 2 && listed.map((connection) => connection.client_properties.connection_name).sort();
  });
  expect(names).toEqual(['account-manager consumer one', 'account-manager publisher one']);
  await connections.close();
  expect(connections.state().consuming.connected).toBe(false);
  await expect(connections.consuming.ask()).rejects.toThrow('no connection');
  await vhost.drop();
});

test('refused credentials end the wait at once, and are nowhere quoted', async () => {
  const vhost = await createVhost();
  const url = new URL(vhost.url);
  url.password = 'not-the-one';
  const { log, lines } = collectLog();
  connections = createConnections({ url: url.href, instance: 'one', log });
  await expect(connections.open()).rejects.toThrow(
    /RabbitMQ at [\w.]+:\d+: it refuses the user or the password of RABBITMQ_URL/,
  );
  // Whoever opens them is told; a line of their own would say it twice.
  expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  expect(JSON.stringify(lines)).not.toContain('not-the-one');
  await vhost.drop();
});

test('a broker that is not there is waited for, for as long as asked', async () => {
  connections = createConnections({
    url: `amqp://127.0.0.1:${await freePort()}`,
    instance: 'one',
    log: collectLog().log,
  });
  await expect(connections.open({ signal: AbortSignal.timeout(300) })).rejects.toThrow(/abort/i);
  expect(connections.state().publishing).toEqual({ connected: false, blocked: false });
});

test('of several nodes the next one is taken within 2 s of the loss of one', async () => {
  const vhost = await createVhost();
  const nodes = await Promise.all([startTcpProxy(vhost.url), startTcpProxy(vhost.url)]);
  const away = `amqp://127.0.0.1:${await freePort()}${new URL(vhost.url).pathname}`;
  const url = [nodes[0].url, away, nodes[1].url].join(', ');
  const { log, lines } = collectLog();
  connections = createConnections({ url, instance: 'one', log });
  await connections.open();
  const isAsked = () =>
    connections.consuming.ask().then(
      () => true,
      () => false,
    );
  // Refused at once, then silent: the second and third time the heartbeat, or whoever asks, has to find out.
  await nodes[0].cut();
  const cutAt = performance.now();
  await eventually('the other one answers', isAsked, 10_000);
  const silenceMs = performance.now() - cutAt;
  await nodes[0].heal();
  nodes[1].blackhole();
  await eventually('the first one answers again', isAsked, 20_000);
  nodes[0].blackhole();
  await nodes[1].heal();
  connections.moveOn();
  await eventually('the other one answers again', isAsked, 25_000);
  expect(silenceMs).toBeLessThan(2_000);
  expect(lines.filter(({ message }) => message === 'broker connected').length).toBeGreaterThanOrEqual(6);
  await Promise.all(nodes.map((node) => node.close()));
  await vhost.drop();
});

test('a node that answers nothing is left for another only where there is one', async () => {
  const vhost = await createVhost();
  connections = createConnections({ url: vhost.url, instance: 'one', log: collectLog().log });
  await connections.open();
  const link = connections.consuming.current();
  connections.moveOn();
  await connections.consuming.ask();
  expect(connections.consuming.current()).toBe(link);
  await vhost.drop();
});
