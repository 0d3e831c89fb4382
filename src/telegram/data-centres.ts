/** Where a server of Telegram listens. */
export interface ServerAddress {
  address: string;
  port: number;
}

/**
 * Telegram's production data centres, as its own clients have them built in. The address in a session string is not
 * used: it may be IPv6, a host for browsers, or out of date, and Pyrogram's have none. A key belongs to its data
 * centre.
 */
const ADDRESSES = ['149.154.175.53', '149.154.167.51', '149.154.175.100', '149.154.167.91', '91.108.56.130'] as const;

/** The address of a data centre, 1 to 5; undefined for any other number. */
export function dataCentreOf(dcId: number): ServerAddress | undefined {
  const address = ADDRESSES[dcId - 1];
  return address === undefined ? undefined : { address, port: 443 };
}
