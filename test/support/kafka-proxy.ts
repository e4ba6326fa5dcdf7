/** Stands between Kafka's clients and a broker that names it as its address: keeps what is asked, and loses or holds back what a test wants. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Kinds of request by their numbers. Source: Apache Kafka, protocol guide, "Api Keys". */
export const apiKeys = { fetch: 1, metadata: 3, findCoordinator: 10, joinGroup: 11, heartbeat: 12 } as const;
type Kind = keyof typeof apiKeys;

export interface KafkaProxy {
  readonly address: string;
  /** The broker itself, once it is known. */
  target: { host: string; port: number };
  /** While true, requests are passed on, and the connection ends at the first answer. */
  isDeaf: boolean;
  /** Requests of these kinds are swallowed: the client waits. */
  readonly swallowed: Set<Kind>;
  /** Bodies of the requests of a kind so far, behind their headers. */
  asked(kind: Kind): readonly Buffer[];
  /** Ends all connections. */
  cut(): void;
  close(): void;
}

export async function startKafkaProxy(): Promise<KafkaProxy> {
  const sockets = new Set<Socket>();
  const bodies = new Map<number, Buffer[]>(Object.values(apiKeys).map((kind) => [kind, []]));
  const server = createServer((client) => {
    const upstream = connect(proxy.target.port, proxy.target.host);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream])
      socket
        .on('error', end)
        .on('close', end)
        .once('close', () => sockets.delete(socket));
    sockets.add(client).add(upstream);
    client.on(
      'data',
      framesOf((frame) => {
        const kind = frame.readInt16BE(4);
        // A copy: the frame is a part of everything that came with it.
        bodies.get(kind)?.push(Buffer.from(frame.subarray(14 + Math.max(0, frame.readInt16BE(12)))));
        if (![...proxy.swallowed].some((name) => apiKeys[name] === kind)) upstream.write(frame);
      }),
    );
    upstream.on('data', (bytes) => (proxy.isDeaf ? end() : client.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: KafkaProxy = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: { host: '127.0.0.1', port: 0 },
    isDeaf: false,
    swallowed: new Set(),
    asked: (kind) => bodies.get(apiKeys[kind]) ?? [],
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      proxy.cut();
      server.close();
    },
  };
  return proxy;
}

/** A request is its length, then kind, version, number and the client's name. */
function framesOf(act: (frame: Buffer) => void) {
  let rest = Buffer.alloc(0);
  return (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      act(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}
