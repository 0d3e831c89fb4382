import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createRedis, type TestRedis } from './redis.js';

/** Redis databases behind a door that can be shut: what a Redis that hangs or is down looks like. */
export interface FailingRedis extends TestRedis {
  /** URL of the databases past the door. */
  behind: string;
  /** From now on nothing passes, and nobody is told. */
  hang: () => void;
  /** Lets through what has waited and what comes. */
  resume: () => void;
  /** Closes every connection and takes no more. */
  stop: () => Promise<void>;
  /** Takes connections again, at the same address. */
  start: () => Promise<void>;
  /** Whether it takes connections. */
  isUp: () => boolean;
}

export async function createFailingRedis(): Promise<FailingRedis> {
  const redis = await createRedis();
  const target = new URL(redis.url);
  const sockets = new Set<Socket>();
  let hangs = false;

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => near.write(bytes));
    for (const socket of [near, far]) {
      sockets.add(socket);
      if (hangs) socket.pause();
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  });

  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);

  const own = new URL(redis.url);
  own.host = `127.0.0.1:${port}`;
  const stop = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    ...redis,
    url: own.href,
    behind: redis.url,
    hang: () => {
      hangs = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      hangs = false;
      for (const socket of sockets) socket.resume();
    },
    stop,
    start: async () => {
      await listen(port);
    },
    isUp: () => server.listening,
    drop: async () => {
      if (server.listening) await stop();
      await redis.drop();
    },
  };
}
