/** A port before a server that a test shuts and opens, as when the network or the server is away. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Gate {
  readonly url: string;
  open(): Promise<void>;
  /** Cuts every connection, and refuses new ones. */
  shut(): Promise<void>;
}

/** Shut at first; the port stays the same. `target` is asked at each connection: a server that was started again may listen elsewhere. */
export async function startGate(target: () => string): Promise<Gate> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const { hostname, port } = new URL(target());
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).on('close', () => sockets.delete(from));
      from.pipe(to);
    }
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port; // listening on TCP has an address of that kind
  };
  const shut = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  await shut();
  return { url: `http://127.0.0.1:${port}`, open: async () => void (await listen(port)), shut };
}
