/**
 * A proxy before ClickHouse that makes inserts ambiguous: it holds a request and delivers it after the client has gone,
 * drops an answer, or drops a request. Reads pass.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep } from '../../core/clock.ts';
import type { SqlServer } from './sql.ts';

export type Mode = 'pass' | 'hold' | 'drop answer' | 'drop request';
const modes: readonly Mode[] = ['pass', 'hold', 'hold', 'drop answer', 'drop request'];

export interface HoldingProxy {
  readonly url: string;
  /** While true, everything passes. */
  isCalm: boolean;
  readonly counts: Readonly<Record<Mode, number>>;
  /** Inserts whose client could not know what became of them. */
  readonly ambiguous: number;
  /** Resolves when nothing is held or under way any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Of an engine that is started again, address and password are asked for with each request. */
export async function startHoldingProxy(target: string | (() => SqlServer), random: () => number): Promise<HoldingProxy> {
  const now = () => (typeof target === 'string' ? { url: target, password: null } : target());
  const counts: Record<Mode, number> = { pass: 0, hold: 0, 'drop answer': 0, 'drop request': 0 };
  let underWay = 0;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isInsert = /^\s*INSERT INTO (batches|events|dead_letters)/i.test(
      new URL(incoming.url ?? '/', 'http://any').searchParams.get('query') ?? body.toString('latin1', 0, 200),
    );
    const mode: Mode = isInsert && !proxy.isCalm ? (modes[Math.floor(random() * modes.length)] ?? 'pass') : 'pass';
    if (isInsert) counts[mode] += 1;
    if (mode === 'drop request') return void outgoing.destroy();
    underWay += 1;
    try {
      if (mode === 'hold') await sleep(200 + random() * 1300);
      const answer = await forward(incoming, body);
      if (mode === 'drop answer') outgoing.destroy();
      else outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    } finally {
      underWay -= 1;
    }
  }

  async function forward(incoming: IncomingMessage, body: Buffer) {
    const { 'transfer-encoding': _, ...headers } = incoming.headers;
    const { url, password } = now();
    const [user] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
      .toString()
      .split(':');
    const upstream = request(new URL(incoming.url ?? '/', url), {
      method: incoming.method ?? 'POST',
      headers: {
        ...headers,
        'content-length': String(body.length),
        ...(password !== null && { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }),
      },
    });
    upstream.end(body);
    const [response] = (await once(upstream, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status: response.statusCode ?? 500, headers: response.headers, body: Buffer.concat(chunks) };
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: HoldingProxy = {
    isCalm: false,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP has an address of that kind
    counts,
    get ambiguous() {
      return counts.hold + counts['drop answer'] + counts['drop request'];
    },
    async settled() {
      while (underWay > 0) await sleep(50);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
