/** A port before ClickHouse that holds up one request, wanted by its words: before all of it is through, or before it is answered. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** `half`: half of what came with the words passes, the rest is held; `answer`: all passes, and its answer is held. */
export type Held = 'half' | 'answer';

export interface Wanted {
  readonly words: RegExp;
  readonly held: Held;
  /** Only while nothing else is on its way, nor was a moment ago. */
  readonly isAlone?: boolean;
}

export interface Sluice {
  readonly url: string;
  /** Holds the next request that is wanted; `onHeld` runs in the same moment. */
  arm(wanted: Wanted, onHeld: () => void): void;
  disarm(): void;
  /** What is held goes on. */
  release(): void;
  close(): Promise<void>;
}

interface Armed extends Wanted {
  readonly onHeld: () => void;
}

const momentMs = 200;

export async function startSluice(target: string): Promise<Sluice> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  /** When something last went through, by the client's end. */
  const usedAt = new Map<Socket, number>();
  let armed: Armed | null = null;
  let release = () => {};
  const isWanted = ({ words, isAlone }: Armed, chunk: Buffer, client: Socket) =>
    words.test(chunk.toString('latin1')) &&
    (isAlone !== true || [...usedAt].every(([other, at]) => other === client || performance.now() - at > momentMs));

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    }
    client.on('close', () => {
      usedAt.delete(client);
      upstream.end(); // what it has sent still arrives
    });
    upstream.on('data', () => usedAt.set(client, performance.now()));
    upstream.on('close', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (chunk) => {
      usedAt.set(client, performance.now());
      if (armed === null || !isWanted(armed, chunk, client)) return void upstream.write(chunk);
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
    arm: (wanted, onHeld) => (armed = { ...wanted, onHeld }),
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
