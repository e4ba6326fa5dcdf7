/**
 * A proxy before ClickHouse with the faults of a network: latency, few bytes per second, connections that are reset in the
 * middle. It can also add settings to inserts, so that the engine itself gives the answers of a server under pressure.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sleep } from '../../core/clock.ts';

/** What happens to requests from now on; those under way notice a change too. */
export interface Toxic {
  readonly latencyMs: number;
  /** Each way of each request. */
  readonly bytesPerSecond: number;
  /** Share of requests whose connection is reset somewhere within the first 20 kB of one of its ways. */
  readonly resets: number;
  /** Of inserts that bring rows. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Toxics {
  readonly url: string;
  toxic: Toxic;
  close(): Promise<void>;
}

export const none: Toxic = { latencyMs: 0, bytesPerSecond: Infinity, resets: 0, settings: {} };
const tickMs = 100;

/** `target` is asked at each request: an engine that was started again may listen elsewhere. */
export async function startToxics(target: () => string, random: () => number): Promise<Toxics> {
  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    await sleep(toxics.toxic.latencyMs);
    const url = new URL(incoming.url ?? '/', target());
    if (/^\s*INSERT/i.test(url.searchParams.get('query') ?? ''))
      for (const [name, value] of Object.entries(toxics.toxic.settings)) url.searchParams.set(name, value);
    const isReset = random() < toxics.toxic.resets;
    const way = () => slowly(() => toxics.toxic.bytesPerSecond, isReset ? random() * 20_000 : Infinity);
    const upstream = request(url, { method: incoming.method ?? 'POST', headers: incoming.headers });
    const { socket } = incoming;
    try {
      // Who refuses may answer before it has read all; then what is left of the request does not matter.
      const sent = pipeline(incoming, way(), upstream).catch((error: unknown) => {
        if (isReset) upstream.destroy(new Error('reset', { cause: error }));
      });
      const [response] = (await once(upstream, 'response')) as [IncomingMessage];
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      await pipeline(response, way(), outgoing);
      await sent;
    } catch {
      upstream.destroy();
      socket.resetAndDestroy();
    }
  }

  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const toxics: Toxics = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP has an address of that kind
    toxic: none,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return toxics;
}

/** Fails once so many bytes went through. */
function slowly(bytesPerSecond: () => number, resetAfter: number): Transform {
  let left = resetAfter;
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length;) {
        const step = chunk.subarray(at, at + Math.min(chunk.length, Math.max(1, (bytesPerSecond() * tickMs) / 1000)));
        at += step.length;
        left -= step.length;
        if (left < 0) return done(new Error('reset'));
        this.push(step);
        if (at < chunk.length || bytesPerSecond() < Infinity) await sleep(tickMs);
      }
      done();
    },
  });
}
