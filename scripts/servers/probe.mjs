import { connect } from 'node:net';

// Each probe speaks the first words of the protocol, so that it needs no client package: servers start before `npm ci`.

/**
 * @param {number} port of 127.0.0.1
 * @returns {Promise<boolean>} whether PostgreSQL there lets a client in
 */
export async function answersPostgres(port) {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(startup.length + parameters.length, 0);
  startup.writeInt32BE(196_608, 4); // protocol 3.0
  const answer = await ask({ port, words: Buffer.concat([startup, parameters]) });
  // 'R' is the authentication answer; while it recovers, PostgreSQL sends 'E' (57P03).
  return answer[0] === 'R'.charCodeAt(0);
}

/**
 * @param {number} port of 127.0.0.1
 * @returns {Promise<boolean>} whether Redis there has loaded its data
 */
export async function answersRedis(port) {
  return (await ask({ port, words: 'PING\r\n' })).toString().startsWith('+PONG');
}

/**
 * @param {number} port of 127.0.0.1
 * @returns {Promise<boolean>} whether an AMQP 0-9-1 broker greets there
 */
export async function answersAmqp(port) {
  const answer = await ask({ port, words: Buffer.from('AMQP\0\0\x09\x01', 'latin1') });
  return answer[0] === 1; // a method frame: connection.start
}

/**
 * @param {string} url of the management API, with credentials
 * @returns {Promise<boolean>}
 */
export async function answersManagement(url) {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  try {
    const response = await fetch(`${origin}/api/overview`, {
      headers: { authorization },
      signal: AbortSignal.timeout(2000),
    });
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * @param {string} url any; its port, or the usual one of its protocol
 * @returns {Promise<boolean>} whether somebody listens there
 */
export async function isListening(url) {
  const usual = {
    'postgres:': 5432,
    'postgresql:': 5432,
    'redis:': 6379,
    'rediss:': 6379,
    'amqp:': 5672,
    'amqps:': 5671,
  };
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return talk({ host, port: Number(port) || usual[/** @type {keyof typeof usual} */ (protocol)] }).then(
    () => true,
    () => false,
  );
}

/**
 * @param {{ port: number, words: string | Buffer }} question
 * @returns {Promise<Buffer>} the first chunk of the answer; empty when there is none
 */
function ask({ port, words }) {
  return talk({ host: '127.0.0.1', port, words }).catch(() => Buffer.alloc(0));
}

/**
 * @param {{ host: string, port: number, words?: string | Buffer }} question without `words`, being connected is the answer
 * @returns {Promise<Buffer>}
 */
function talk({ host, port, words }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 2000 });
    /** @param {Buffer} answer */
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => (words === undefined ? finish(Buffer.alloc(0)) : socket.write(words)));
    socket.once('data', (chunk) => finish(Buffer.from(chunk)));
    socket.once('end', () => finish(Buffer.alloc(0)));
    socket.once('timeout', () => socket.destroy(new Error('timed out')));
    socket.once('error', reject);
  });
}
