#!/usr/bin/env node
// The broker's users, permissions, policies and exchanges, for one account manager and those who may talk to it.
//
//   rabbitmq-definitions.mjs DIR service:inviting service:messaging operator:ops subscriber:dashboard
//
// writes DIR/definitions.json, which RabbitMQ loads (it holds hashes only), and DIR/passwords, for the owner's eyes. Run
// again with more names it keeps the passwords it finds there. VHOST names the vhost (account-manager).

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

/** The account manager's own user. Nobody else may have it: what it publishes is believed. */
const OWN = 'account-manager';

/**
 * @typedef {'service' | 'operator' | 'subscriber'} Kind what a caller of the broker is
 * @typedef {{ kind: Kind, name: string }} Caller
 * @typedef {{ configure: string, write: string, read: string }} Permission regular expressions of names
 */

/**
 * As the account manager declares them. A broker since 4.3 (4.0 with Khepri) takes no permission on the routing keys of an
 * exchange that is not there: it does not start with such definitions.
 */
const EXCHANGES = {
  'account-manager.requests': 'topic',
  'account-manager.admin': 'direct',
  'account-manager.events': 'topic',
  'account-manager.dead': 'topic',
  'account-manager.retry': 'headers',
};

/** Which routing keys of a topic exchange, for who has `write` or `read` on it at all. */
const NOTHING = '^$';
const REQUESTS = { exchange: 'account-manager.requests', write: '^(account|action|query)\\.', read: NOTHING };
const EVENTS = { exchange: 'account-manager.events', write: NOTHING, read: '.*' };

/**
 * Least rights. To declare a queue takes `configure`; to consume, purge or bind from, `read`; to publish or bind to,
 * `write`. Direct reply-to takes none. A service has no `read` on an exchange: with that and its `write` on the requests
 * it could bind the one to the other.
 * @param {Caller} caller
 * @returns {Permission & { topics: (typeof REQUESTS)[] }}
 */
function permissionOf({ kind, name }) {
  const escaped = name.replaceAll('.', '\\.');
  const replies = `^(reply\\.${escaped}(\\..*)?|amq\\.gen-.*)$`;
  const events = `events\\.${escaped}(\\..*)?`;
  switch (kind) {
    case 'service':
      return { configure: replies, write: '^account-manager\\.requests$', read: replies, topics: [REQUESTS] };
    case 'operator':
      return { configure: replies, write: '^account-manager\\.(requests|admin)$', read: replies, topics: [REQUESTS] };
    case 'subscriber':
      return {
        configure: `^${events}$`,
        write: `^${events}$`,
        read: `^(account-manager\\.events|${events})$`,
        topics: [EVENTS],
      };
  }
}

/** @type {Permission} */
const OWN_PERMISSION = {
  configure: '^account-manager\\.',
  write: '^(amq\\.default|account-manager\\..*)$',
  read: '^account-manager\\.',
};

/**
 * @param {{ callers: Caller[], vhost?: string, own?: string, hashOf?: (name: string) => string }} options `hashOf` gives
 *   password hashes; an empty one lets nobody in
 */
export function buildDefinitions({ callers, vhost = 'account-manager', own = OWN, hashOf = () => '' }) {
  const names = [own, ...callers.map(({ name }) => name)];
  for (const name of names) {
    if (!/^[a-z0-9._-]{1,100}$/.test(name)) throw new Error(`${name}: must be 1 to 100 of a-z 0-9 . _ -`);
    // The queue `reply.a.b` would belong to both.
    const within = names.find((other) => name.startsWith(`${other}.`));
    if (within !== undefined) throw new Error(`${name}: must not lie within ${within}`);
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw new Error(`${name}: is named twice`);
  }
  return {
    vhosts: [{ name: vhost }],
    users: names.map((name) => ({
      name,
      password_hash: hashOf(name),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: [],
    })),
    exchanges: Object.entries(EXCHANGES).map(([name, type]) => ({
      ...{ name, vhost, type, durable: true, auto_delete: false, internal: false, arguments: {} },
    })),
    permissions: [
      { user: own, vhost, ...OWN_PERMISSION },
      ...callers.map((caller) => {
        const { configure, write, read } = permissionOf(caller);
        return { user: caller.name, vhost, configure, write, read };
      }),
    ],
    topic_permissions: callers.flatMap((caller) =>
      permissionOf(caller).topics.map((topic) => ({ user: caller.name, vhost, ...topic })),
    ),
    policies: [
      {
        // A reply is stored, so one that nobody fetches may go.
        name: 'replies',
        vhost,
        pattern: '^reply\\.',
        'apply-to': 'queues',
        priority: 0,
        definition: { 'message-ttl': 600_000, 'max-length': 10_000, overflow: 'drop-head' },
      },
      {
        // A subscriber that is gone must not fill the disk: its oldest events go, and stand in the database still.
        name: 'events',
        vhost,
        pattern: '^events\\.',
        'apply-to': 'queues',
        priority: 0,
        definition: { 'max-length-bytes': 1_073_741_824, overflow: 'drop-head' },
      },
    ],
  };
}

/**
 * @param {string} password
 * @returns {string} as RabbitMQ keeps it: 4 bytes of salt, and the SHA-256 of them with the password
 */
export function hashPassword(password) {
  const salt = randomBytes(4);
  const hash = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return Buffer.concat([salt, hash]).toString('base64');
}

/**
 * @param {string} file
 * @returns {Map<string, string>} passwords by name
 */
function readPasswords(file) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return new Map(lines.map((line) => /** @type {[string, string]} */ (line.split(' '))));
}

/**
 * @param {string} directory
 * @param {Caller[]} callers
 */
function write(directory, callers) {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'passwords');
  const passwords = readPasswords(file);
  for (const name of [OWN, ...callers.map((caller) => caller.name)]) {
    if (!passwords.has(name)) passwords.set(name, randomBytes(24).toString('base64url'));
  }
  const hashOf = (/** @type {string} */ name) => hashPassword(passwords.get(name) ?? '');
  const definitions = buildDefinitions({ callers, vhost: process.env.VHOST, hashOf });
  writeFileSync(file, [...passwords].map(([name, password]) => `${name} ${password}\n`).join(''), { mode: 0o600 });
  writeFileSync(path.join(directory, 'definitions.json'), `${JSON.stringify(definitions, null, 2)}\n`);
  console.log(`${directory}: definitions.json for the broker, passwords for ${[...passwords.keys()].join(', ')}`);
}

/**
 * @param {string} text such as `service:inviting`
 * @returns {Caller[]} none where it says nothing
 */
function readCaller(text) {
  const [kind = '', name = ''] = text.split(':');
  return ['service', 'operator', 'subscriber'].includes(kind) && name !== ''
    ? [{ kind: /** @type {Kind} */ (kind), name }]
    : [];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [directory, ...given] = process.argv.slice(2);
  const callers = given.flatMap(readCaller);
  if (!directory || callers.length === 0 || callers.length < given.length) {
    console.error('usage: rabbitmq-definitions.mjs DIR {service|operator|subscriber}:NAME …');
    process.exit(2);
  }
  write(directory, callers);
}
