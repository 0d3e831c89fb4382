import { randomUUID } from 'node:crypto';
import { testServers } from './servers.js';

export interface TestVhost {
  /** AMQP URL, vhost included. */
  url: string;
  /** Management API, credentials included, without the vhost. */
  managementUrl: string;
  name: string;
  /** Removes it with everything in it; its connections are closed by the broker. */
  drop: () => Promise<void>;
}

/** An empty virtual host of the caller's own, in which the user of the URL may do everything. */
export async function createVhost(): Promise<TestVhost> {
  const { rabbitmqUrl, managementUrl } = testServers();
  const name = `test-${randomUUID()}`;
  const { username } = new URL(rabbitmqUrl);
  await manage('PUT', `/api/vhosts/${name}`);
  await manage('PUT', `/api/permissions/${name}/${username || 'guest'}`, { configure: '.*', write: '.*', read: '.*' });
  const url = new URL(rabbitmqUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    managementUrl,
    name,
    drop: async () => {
      await manage('DELETE', `/api/vhosts/${name}`);
    },
  };
}

/**
 * Calls the management API of the test broker; fails on any status but 2xx.
 * @param path such as `/api/queues/<vhost>`; returns the parsed answer, undefined where there is none
 */
export async function manage(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
  const { origin, username, password } = new URL(testServers().managementUrl);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/json',
      // The broker closes a connection that has been idle, and a request on its way would fail.
      connection: 'close',
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
