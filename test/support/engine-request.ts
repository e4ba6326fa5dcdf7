/** Requests to an engine as bytes, for what the client would not send: hostile settings, broken bodies, other encodings. */
import type { SqlServer } from './sql.ts';

export interface RawRequest {
  /** Parameters of the URL: `query`, settings, `param_x`. */
  readonly url?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly user?: string;
  readonly password?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** ClickHouse's code of the error; null where there is none. */
  readonly code: number | null;
  readonly headers: Headers;
  readonly text: string;
}

export function openRequest(engine: SqlServer, request: RawRequest): Promise<Response> {
  const { url = {}, headers = {}, body, signal, user = engine.user, password = engine.password } = request;
  return fetch(`${engine.url}/?${new URLSearchParams(url).toString()}`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, ...headers },
    ...(body === undefined ? {} : { body, duplex: 'half' as const }),
    ...(signal === undefined ? {} : { signal }),
  });
}

export async function send(engine: SqlServer, request: RawRequest): Promise<RawAnswer> {
  const response = await openRequest(engine, request);
  const code = response.headers.get('x-clickhouse-exception-code');
  return { status: response.status, code: code === null ? null : Number(code), headers: response.headers, text: await response.text() };
}
