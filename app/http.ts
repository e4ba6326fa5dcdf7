/** One HTTP listener per process. Roles mount their routes; health, metrics, request ids and security headers are everybody's. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AuditError, forCallers, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { readPem } from './pem.ts';
import type { Config } from './settings.ts';
import type { Metrics } from './telemetry.ts';

export interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** As it came; empty where the route takes none. */
  readonly body: Buffer;
  readonly address: string;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Bytes of a body that is read before `handle`; without it the body stays in the stream. */
  readonly maxBodyBytes?: number;
  /** 'sent' when the handler answered on the raw response. */
  handle(request: Request): Promise<Answer | 'sent'>;
}

export interface ListenerOptions {
  readonly http: Config['http'];
  readonly routes: readonly Route[];
  /** Why this process is not ready; empty when it is. */
  readonly notReady: () => Promise<readonly string[]>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface Listener {
  readonly url: string;
  close(): Promise<void>;
}

const security = {
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** @throws PORT_IN_USE, CONFIG_INVALID */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { http, logger } = options;
  const { cert, key } = http.tls;
  const app = fastify({
    genReqId: () => randomUUID(),
    bodyLimit: 17 * 1024 * 1024,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => {
      secure(reply, request.id);
      void answer(reply, failure(error, request, logger));
    },
    clientErrorHandler: unreadable,
    ...(cert !== undefined &&
      key !== undefined && {
        https: { cert: readPem('http.tls.cert', cert), key: readPem('http.tls.key', key), minVersion: 'TLSv1.2' as const },
      }),
  }) as unknown as FastifyInstance; // the same with TLS and without
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', async (request, reply) => secure(reply, request.id));
  app.setErrorHandler((error, request, reply) => answer(reply, failure(error, request, logger)));
  app.setNotFoundHandler((request, reply) =>
    answer(reply, toAnswer(new AuditError('NOT_FOUND', `There is nothing at ${request.method} ${request.url.split('?')[0]}`))),
  );
  for (const route of [...options.routes, ...ownRoutes(options)]) mount(app, route);
  try {
    const url = await app.listen({ port: http.port, host: http.host });
    return { url, close: () => app.close() };
  } catch (error) {
    throw notListening(http, error);
  }
}

function secure(reply: FastifyReply, id: string): void {
  reply.raw.setHeader('x-request-id', id);
  for (const [name, value] of Object.entries(security)) reply.raw.setHeader(name, value);
}

/** What is no HTTP, or has headers beyond every limit, has no request to answer: it is told on the connection itself. */
function unreadable(error: { readonly code: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const body = JSON.stringify({
    error: { code: 'BAD_USER_INPUT', message: `Expected a request of HTTP/1.1, got one that cannot be read (${error.code})` },
  });
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  const headers = [...head, ...Object.entries(security).map(([name, value]) => `${name}: ${value}`)];
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}

function notListening({ host, port }: Config['http'], error: unknown): AuditError {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    const message = `Port ${port} on ${host} is in use by another process. Choose another one with --port or http.port, or 0 for any free one`;
    return new AuditError('PORT_IN_USE', message, { cause: error });
  }
  const message = `Cannot listen on port ${port} of ${host}: ${messageOf(error)}. Choose an address of this machine with http.host, and a port that this user may use with http.port`;
  return new AuditError('CONFIG_INVALID', message, { cause: error });
}

function ownRoutes({ notReady, metrics }: ListenerOptions): Route[] {
  return [
    { method: 'GET', path: '/livez', handle: async () => ({ status: 200, body: '{"live":true}' }) },
    {
      method: 'GET',
      path: '/readyz',
      handle: async () => {
        const reasons = await notReady();
        return { status: reasons.length === 0 ? 200 : 503, body: JSON.stringify({ ready: reasons.length === 0, reasons }) };
      },
    },
    { method: 'GET', path: '/metrics', handle: async () => ({ status: 200, type: metrics.type, body: await metrics.text() }) },
  ];
}

/** Each route in a scope of its own: whether a body is read, and how much of it, differs. */
function mount(app: FastifyInstance, route: Route): void {
  void app.register(async (scope) => {
    if (route.maxBodyBytes === undefined) scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    else scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.route({
      method: route.method,
      url: route.path,
      ...(route.maxBodyBytes !== undefined && { bodyLimit: route.maxBodyBytes }),
      handler: async (request, reply) => {
        const result = await route.handle(toRequest(request, reply));
        if (result === 'sent') return reply.hijack();
        return answer(reply, result);
      },
    });
  });
}

function toRequest(request: FastifyRequest, reply: FastifyReply): Request {
  return {
    headers: request.headers as Record<string, string | undefined>, // lists occur for set-cookie alone, which no request has
    query: lastOfEach(request.query as Record<string, string | string[] | undefined>),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    address: request.ip,
    req: request.raw,
    res: reply.raw,
  };
}

/** A parameter that is given twice: the last one counts. */
function lastOfEach(query: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value]));
}

function answer(reply: FastifyReply, { status, type = 'application/json', headers = {}, body }: Answer): FastifyReply {
  for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value);
  return reply.status(status).type(type).send(body);
}

function failure(error: unknown, request: FastifyRequest, logger: Logger): Answer {
  const known = forCallers(error);
  if (known !== null) return toAnswer(known);
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 413)
    return toAnswer(
      new AuditError('PAYLOAD_TOO_LARGE', `The body is larger than the ${request.routeOptions.bodyLimit} bytes that are taken at once`),
    );
  if (status !== undefined && status < 500) return toAnswer(new AuditError('BAD_USER_INPUT', messageOf(error)));
  logger.error({ requestId: request.id, err: error }, 'a request failed for a reason of ours');
  return toAnswer(new AuditError('INTERNAL', `A fault of Gatetrail; its log has the details under request ${request.id}`));
}

function toAnswer(error: AuditError): Answer {
  const { retryAfterMs } = error.facts;
  return {
    status: error.httpStatus,
    ...(typeof retryAfterMs === 'number' && { headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } }),
    body: JSON.stringify({ error: { code: error.code, message: error.message } }),
  };
}
