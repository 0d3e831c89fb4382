import pg from 'pg';
import { socketOf } from './database.js';

/** How soon a lost connection is tried again. */
const RECONNECT_MS = 500;

export interface ListenOptions {
  url: string;
  channel: string;
  onNotification: (payload: string) => void;
  /** Called after every connect: notifications sent in between are lost. */
  onListening: () => void;
}

/**
 * Listens for notifications of committed transactions, and connects again for as long as it is not closed. Connections
 * are broken, not ended: the driver's `end` waits for a farewell, which a silent server never sends, nor one that has
 * refused our certificate.
 */
export function listen({ url, channel, onNotification, onListening }: ListenOptions): { close: () => void } {
  let closed = false;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;

  const tryAgain = (): void => {
    if (!closed) timer = setTimeout(() => void connect(), RECONNECT_MS);
  };

  async function connect(): Promise<void> {
    let next: pg.Client;
    try {
      next = new pg.Client({
        connectionString: url,
        connectionTimeoutMillis: 3_000,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        application_name: 'account-manager listener',
      });
    } catch {
      // A file of certificates that the URL names is being replaced.
      return tryAgain();
    }
    client = next;
    next.on('error', () => {});
    next.on('end', tryAgain);
    next.on('notification', ({ payload }) => onNotification(payload ?? ''));
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      onListening();
    } catch {
      socketOf(next).destroy();
    }
  }

  void connect();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      if (client !== null) socketOf(client).destroy();
    },
  };
}
