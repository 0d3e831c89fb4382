import { randomBytes, randomUUID } from 'node:crypto';
import { buildDefinitions, hashPassword } from '../../scripts/rabbitmq-definitions.mjs';
import { testServers } from './servers.js';
import { manage } from './vhost.js';

type Kind = 'service' | 'operator' | 'subscriber';

export interface BrokerUsers<Name extends string> {
  /** The names given, each made its own of this run: users are those of the whole broker. */
  names: Record<Name | 'own', string>;
  /** AMQP URLs, vhost included. */
  urls: Record<Name | 'own', string>;
  vhost: string;
  /** Removes users and vhost; their connections are closed by the broker. */
  drop: () => Promise<void>;
}

/** A vhost with users and permissions as `deploy/rabbitmq` gives them. `own`: the account manager's. */
export async function createBrokerUsers<Name extends string>(kinds: Record<Name, Kind>): Promise<BrokerUsers<Name>> {
  const run = randomBytes(4).toString('hex');
  const password = randomUUID();
  const vhost = `test-${randomUUID()}`;
  const given = Object.keys(kinds) as Name[];
  const names = Object.fromEntries(['own', ...given].map((name) => [name, `${name}-${run}`])) as Record<
    Name | 'own',
    string
  >;
  const callers = given.map((name) => ({ kind: kinds[name], name: names[name] }));
  const definitions = buildDefinitions({ callers, vhost, own: names.own, hashOf: () => hashPassword(password) });
  await manage('POST', '/api/definitions', definitions);
  // Whoever looks from outside.
  await manage('PUT', `/api/permissions/${vhost}/guest`, { configure: '.*', write: '.*', read: '.*' });
  const urlOf = (username: string): string =>
    Object.assign(new URL(testServers().rabbitmqUrl), { username, password, pathname: `/${vhost}` }).href;
  return {
    names,
    urls: Object.fromEntries(Object.entries<string>(names).map(([name, user]) => [name, urlOf(user)])) as Record<
      Name | 'own',
      string
    >,
    vhost,
    drop: async () => {
      await manage('DELETE', `/api/vhosts/${vhost}`);
      for (const user of Object.values<string>(names)) await manage('DELETE', `/api/users/${user}`);
    },
  };
}
