import type { Socket } from 'node:net';
import { PromisedNetSockets } from 'telegram/extensions/index.js';
import type { ProxyInterface } from 'telegram/network/connection/TCPMTProxy.js';
import type { ServerAddress } from './data-centres.js';

/** The sockets of one probe. */
export interface ProbeSockets {
  /** The class that GramJS is to make its sockets of. */
  Socket: typeof PromisedNetSockets;
  /** Closes them all, and resolves when the operating system has them back; no new one is opened from then on. */
  close: () => Promise<void>;
}

/**
 * Sockets that lead to `server`, since GramJS's client dials port 80 whatever the session says; an MTProxy is dialled
 * itself. GramJS forgets a socket that is still dialling when its client is destroyed: here they are all remembered.
 */
export function createProbeSockets(server: ServerAddress): ProbeSockets {
  const sockets = new Set<ProbeSocket>();
  let isClosed = false;

  class ProbeSocket extends PromisedNetSockets {
    readonly #isMtproxy: boolean;

    constructor(proxy?: ProxyInterface) {
      super(proxy);
      this.#isMtproxy = proxy !== undefined && 'MTProxy' in proxy;
      sockets.add(this);
    }

    override connect(port: number, ip: string): Promise<unknown> {
      if (isClosed) return Promise.reject(new Error('the probe is over'));
      return this.#isMtproxy ? super.connect(port, ip) : super.connect(server.port, server.address);
    }

    async end(): Promise<void> {
      // The field is private to GramJS, which offers no other way to a socket that is not connected.
      const raw = Reflect.get(this, 'client') as Socket | undefined;
      if (raw === undefined || raw.closed) return;
      const closed = new Promise((resolve) => raw.once('close', resolve));
      raw.destroy();
      await closed;
    }
  }

  return {
    Socket: ProbeSocket,
    close: async () => {
      isClosed = true;
      await Promise.all([...sockets].map((socket) => socket.end()));
    },
  };
}
