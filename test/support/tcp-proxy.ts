import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that can fail. */
export interface TcpProxy {
  /** The URL given, with the proxy's address in the place of the server's. */
  url: string;
  /** How many connections it has taken until now. */
  accepted: () => number;
  /** Breaks every connection; new ones are well. */
  breakAll: () => void;
  /** Breaks every connection and refuses new ones. */
  cut: () => Promise<void>;
  /** Swallows everything in both directions; nobody is told. */
  blackhole: () => void;
  /** Reads nothing any more, not even farewells: as with a server that is stopped, the system alone keeps connections. */
  hang: () => void;
  /** Swallows what comes back: requests arrive, and their answers do not. */
  loseReplies: () => void;
  /** Lets the server have the next message with these words, then breaks what is named before it is answered. */
  breakAfter: (words: string, what: 'connection' | 'network') => Promise<void>;
  /**
   * As when a router forgets the connections there are: the server has noticed and closed them, the client is never
   * told. New ones are well.
   */
  forget: () => void;
  /** Leads to another server from now on; connections to the one before are broken. */
  leadTo: (target: string) => void;
  /** Well again: connections that have lost something are broken, the others live on. */
  heal: () => Promise<void>;
  close: () => Promise<void>;
}

type Mood = 'well' | 'blackhole' | 'lost replies';

/** Stands in front of the server of a URL. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  let { hostname, port } = new URL(target);
  const lines = new Set<{ near: Socket; far: Socket; lost: boolean; forgotten: boolean }>();
  let mood: Mood = 'well';
  let accepted = 0;
  let last: { words: string; break: (line: { lost: boolean }) => void } | null = null;

  const server = createServer((near) => {
    accepted++;
    const far = connect(Number(port), hostname);
    const line = { near, far, lost: false, forgotten: false };
    lines.add(line);
    const pass = (from: Socket, to: Socket, isLost: () => boolean): void => {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (isLost()) line.lost = true;
        else to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        // A farewell is lost like everything else.
        if (isLost()) line.lost = true;
        else to.destroy();
        if (near.destroyed && far.destroyed) lines.delete(line);
      });
    };
    pass(near, far, () => line.forgotten || mood === 'blackhole');
    pass(far, near, () => line.forgotten || mood !== 'well');
    near.on('data', (bytes) => {
      if (last === null || !bytes.includes(last.words)) return;
      far.removeAllListeners('data').once('data', last.break.bind(null, line));
      last = null;
    });
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const breakLines = (which: (line: { lost: boolean }) => boolean): void => {
    for (const line of [...lines].filter(which)) {
      line.near.destroy();
      line.far.destroy();
      lines.delete(line);
    }
  };
  const cut = async (): Promise<void> => {
    breakLines(() => true);
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  };

  const ownPort = await listen(0);
  const url = new URL(target);
  url.host = `127.0.0.1:${ownPort}`;
  return {
    url: url.href,
    accepted: () => accepted,
    breakAll: () => breakLines(() => true),
    cut,
    blackhole: () => {
      mood = 'blackhole';
    },
    hang: () => {
      for (const { near, far } of lines) {
        near.pause();
        far.pause();
      }
    },
    loseReplies: () => {
      mood = 'lost replies';
    },
    breakAfter: (words, what) =>
      new Promise((resolve) => {
        const end = (line: { lost: boolean }): void => {
          if (what === 'network') void cut().then(resolve);
          else resolve(breakLines((other) => other === line));
        };
        last = { words, break: end };
      }),
    forget: () => {
      for (const line of lines) {
        line.forgotten = true;
        line.far.destroy();
      }
    },
    leadTo: (other) => {
      ({ hostname, port } = new URL(other));
      breakLines(() => true);
    },
    heal: async () => {
      mood = 'well';
      breakLines(({ lost }) => lost);
      if (!server.listening) await listen(ownPort);
    },
    close: cut,
  };
}
