/**
 * A faulty network before ClickHouse that makes inserts ambiguous: requests are held and delivered after the client has
 * gone, answers never come, connections are reset once the body is through, bodies crawl and break off. Of all requests,
 * reads too, one in twenty is reset.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep } from '../../core/clock.ts';
import type { SqlServer } from './sql.ts';

const modes = [
  'pass',
  'hold',
  'drop answer',
  'drop request',
  'reset after body',
  'answer never comes',
  '1 KB/s',
  '1 KB/s, broken off',
] as const;
export type Mode = (typeof modes)[number];
/** A third of the inserts pass: a writer comes to its end, and meets most of the others on its way. */
const drawn: readonly Mode[] = ['pass', 'pass', 'pass', 'hold', ...modes];

export interface HoldingProxy {
  readonly url: string;
  /** While true, everything passes. */
  isCalm: boolean;
  readonly counts: Readonly<Record<Mode, number>>;
  /** Requests that were reset, whatever they asked. */
  readonly resets: number;
  /** Inserts whose client could not know what became of them. */
  readonly ambiguous: number;
  /** Resolves when nothing is held or under way any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const resetShare = 0.05;
const bytesPerTick = 100;
const tickMs = 100;

interface Held {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly body: Buffer;
}

/** `target` is asked at each request: an engine that was started again has another address and password. */
export async function startHoldingProxy(target: () => SqlServer, random: () => number): Promise<HoldingProxy> {
  const counts = Object.fromEntries(modes.map((mode) => [mode, 0])) as Record<Mode, number>; // one entry per mode
  let underWay = 0;
  let resets = 0;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readAll(incoming);
    if (!proxy.isCalm && random() < resetShare) {
      resets += 1;
      return reset(outgoing);
    }
    const isInsert = /^\s*INSERT INTO (batches|events|dead_letters)/i.test(
      new URL(incoming.url ?? '/', 'http://any').searchParams.get('query') ?? body.toString('latin1', 0, 200),
    );
    const mode: Mode = isInsert && !proxy.isCalm ? (drawn[Math.floor(random() * drawn.length)] ?? 'pass') : 'pass';
    if (isInsert) counts[mode] += 1;
    underWay += 1;
    try {
      await ways[mode]({ incoming, outgoing, body });
    } finally {
      underWay -= 1;
    }
  }

  const deliver = ({ incoming, body }: Held, write?: Write) => forward(target(), incoming, body, write);
  const pass = async (held: Held, write?: Write) => {
    const answer = await deliver(held, write);
    held.outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const ways: Record<Mode, (held: Held) => Promise<void>> = {
    pass,
    async hold(held) {
      await sleep(200 + random() * 1300);
      await pass(held);
    },
    async 'drop answer'(held) {
      await deliver(held);
      held.outgoing.destroy();
    },
    async 'drop request'({ outgoing }) {
      outgoing.destroy();
    },
    async 'reset after body'(held) {
      const delivered = deliver(held);
      reset(held.outgoing);
      await delivered;
    },
    async 'answer never comes'(held) {
      await deliver(held); // the client gives up
    },
    '1 KB/s': (held) => pass(held, slowly({ breaksOff: () => false, isOver: () => proxy.isCalm })),
    '1 KB/s, broken off': (held) => pass(held, slowly({ breaksOff: () => held.outgoing.closed, isOver: () => proxy.isCalm })),
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: HoldingProxy = {
    isCalm: false,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP has an address of that kind
    counts,
    get resets() {
      return resets;
    },
    get ambiguous() {
      return Object.values(counts).reduce((sum, count) => sum + count, 0) - counts.pass;
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

type Upstream = ReturnType<typeof request>;
type Write = (upstream: Upstream, body: Buffer) => Promise<void>;

/** The body in drops, which takes hours for a large one; both are asked before each. What is left once it is over comes at once. */
function slowly({ breaksOff, isOver }: { readonly breaksOff: () => boolean; readonly isOver: () => boolean }): Write {
  return async (upstream, body) => {
    let at = 0;
    for (; at < body.length; at += bytesPerTick) {
      if (breaksOff()) return void upstream.destroy(new Error('the client has gone'));
      if (isOver()) break;
      upstream.write(body.subarray(at, at + bytesPerTick));
      await sleep(tickMs);
    }
    upstream.end(body.subarray(at));
  };
}

/** The user stays; the password is the one of the server that is there now. */
async function forward({ url, password }: SqlServer, incoming: IncomingMessage, body: Buffer, write?: Write) {
  const { 'transfer-encoding': _, ...headers } = incoming.headers;
  const [user] = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':');
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const upstream = request(new URL(incoming.url ?? '/', url), {
    method: incoming.method ?? 'POST',
    headers: { ...headers, authorization, 'content-length': String(body.length) },
  });
  const answered = once(upstream, 'response') as Promise<[IncomingMessage]>;
  if (write === undefined) upstream.end(body);
  else await Promise.all([write(upstream, body), answered]); // a server may refuse what it has not read to its end
  const [response] = await answered;
  return { status: response.statusCode ?? 500, headers: response.headers, body: await readAll(response) };
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function reset(outgoing: ServerResponse): void {
  outgoing.socket?.resetAndDestroy();
}
