import net from 'node:net';

export interface SocksProxy {
  port: number;
  /** `name:password host:port` of each request. */
  asked: string[];
  close: () => Promise<void>;
}

/** A SOCKS 5 proxy for IPv4 destinations (RFC 1928, 1929) that serves, answers with a refusal, or never answers. */
export async function startSocksProxy(manner: 'serve' | 'refuse' | 'silence'): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<net.Socket>();
  const keep = (socket: net.Socket) => {
    sockets.add(socket);
    return socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };

  const server = net.createServer((client) => {
    keep(client);
    if (manner === 'silence') return void client.resume();
    let credentials = '';
    client.once('data', (greeting) => {
      const wantsPassword = greeting.subarray(2).includes(2);
      client.write(Buffer.of(5, wantsPassword ? 2 : 0));
      if (!wantsPassword) return void client.once('data', serve);
      client.once('data', (login) => {
        const size = login[1] ?? 0;
        credentials = `${login.toString('latin1', 2, 2 + size)}:${login.toString('latin1', 3 + size)}`;
        client.write(Buffer.of(1, 0));
        client.once('data', serve);
      });
    });

    function serve(request: Buffer): void {
      const host = request.subarray(4, 8).join('.');
      const port = request.readUInt16BE(8);
      asked.push(`${credentials} ${host}:${port}`);
      if (manner === 'refuse') return void client.end(Buffer.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0));
      const target = keep(net.connect(port, host, () => client.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0))));
      client.pipe(target).pipe(client);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
