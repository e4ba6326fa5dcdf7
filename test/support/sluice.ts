/** A port before ClickHouse that holds up one request, wanted by its words: before all of it is through, or before it is answered. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** `half`: half of what came with the words passes, the rest is held; `answer`: all passes, and its answer is held. */
export type Held = 'half' | 'answer';

export interface Sluice {
  readonly url: string;
  /** Holds the next request with these words; `onHeld` runs in the same moment. */
  arm(words: RegExp, held: Held, onHeld: () => void): void;
  disarm(): void;
  /** What is held goes on. */
  release(): void;
  close(): Promise<void>;
}

interface Armed {
  readonly words: RegExp;
  readonly held: Held;
  readonly onHeld: () => void;
}

export async function startSluice(target: string): Promise<Sluice> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let armed: Armed | null = null;
  let release = () => {};

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    }
    client.on('close', () => upstream.end()); // what it has sent still arrives
    upstream.on('close', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (chunk) => {
      if (armed === null || !armed.words.test(chunk.toString('latin1'))) return void upstream.write(chunk);
      const { held, onHeld } = armed;
      armed = null;
      onHeld();
      if (held === 'answer') {
        upstream.unpipe(client).pause();
        upstream.write(chunk);
        release = () => upstream.pipe(client);
      } else {
        client.pause();
        upstream.write(chunk.subarray(0, chunk.length >> 1));
        release = () => {
          upstream.write(chunk.subarray(chunk.length >> 1));
          client.resume();
        };
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP has an address of that kind
    arm: (words, held, onHeld) => (armed = { words, held, onHeld }),
    disarm: () => (armed = null),
    release() {
      release();
      release = () => {};
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
