import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';

/** A method frame of AMQP 0-9-1: type, channel, length, class, method; behind its arguments one byte ends it. */
const HEADER_BYTES = 7;
const METHOD_FRAME = 1;
const FRAME_END = 0xce;
const START = '10.10';
const START_OK = [10, 11] as const;
const TUNE = '10.30';
const TUNE_OK = [10, 31] as const;
const OPEN = [10, 40] as const;
const CLOSE = '10.50';
const TIMEOUT_MS = 3_000;

/**
 * Asks a broker why it does not open the vhost of a URL: the client library has the broker's answer and does not tell
 * it. Speaks as much of AMQP 0-9-1 as leads there (https://www.rabbitmq.com/amqp-0-9-1-reference, class connection).
 * Null: the broker opens it after all, or does not say.
 */
export function askWhyRefused(url: string, options: object = {}): Promise<string | null> {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(username);
  const credentials = user === '' && password === '' ? ['guest', 'guest'] : [user, decodeURIComponent(password)];
  const vhost = decodeURIComponent(pathname.slice(1)) || '/';
  const socket: Socket =
    protocol === 'amqps:'
      ? connectEncrypted({ host, port: Number(port) || 5671, ...options })
      : connectPlain({ host, port: Number(port) || 5672 });

  return new Promise((resolve) => {
    const end = (reason: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => end(null), TIMEOUT_MS);
    const onMethod = (method: string, content: Buffer): void => {
      if (method === START) {
        const response = longText(`\0${credentials.join('\0')}`);
        socket.write(toFrame(START_OK, [Buffer.alloc(4), shortText('PLAIN'), response, shortText('en_US')]));
      } else if (method === TUNE) {
        // Its proposals are accepted.
        socket.write(toFrame(TUNE_OK, [content]));
        socket.write(toFrame(OPEN, [shortText(vhost), shortText(''), Buffer.alloc(1)]));
      } else {
        end(method === CLOSE ? content.subarray(3, 3 + (content[2] ?? 0)).toString() : null);
      }
    };
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER_BYTES && rest.length > HEADER_BYTES + rest.readUInt32BE(3)) {
        const length = rest.readUInt32BE(3);
        const payload = rest.subarray(HEADER_BYTES, HEADER_BYTES + length);
        rest = rest.subarray(HEADER_BYTES + length + 1);
        onMethod(`${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`, payload.subarray(4));
      }
    });
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.write('AMQP\0\0\x09\x01', 'latin1');
  });
}

function toFrame([classId, methodId]: readonly [number, number], parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.alloc(4), ...parts]);
  payload.writeUInt16BE(classId, 0);
  payload.writeUInt16BE(methodId, 2);
  const frame = Buffer.alloc(HEADER_BYTES + payload.length + 1, FRAME_END);
  frame[0] = METHOD_FRAME;
  frame.writeUInt16BE(0, 1);
  frame.writeUInt32BE(payload.length, 3);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function longText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
