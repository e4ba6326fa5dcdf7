/**
 * The tests' own traffic: from one seeded list of plain exchanges it writes records as gateways send them and, side by
 * side, the rows that must come of them. It imports nothing of the product: it judges it.
 */

export interface TrafficOptions {
  readonly seed: number;
  /** Elements, over all messages; one in a hundred cannot be read. */
  readonly records: number;
  readonly startMs: number;
  readonly formats: readonly ('kong' | 'apisix' | 'combined' | 'gatetrail')[];
  /** 401s from one address at /v1/login, three of four records, within 60 s of startMs. */
  readonly burst401?: boolean;
  /** Share of elements that cannot be read. */
  readonly malformed?: number;
}

export interface TrafficMessage {
  readonly key: string | null;
  readonly value: Buffer;
  /** One for each element, in their order. */
  readonly expected: readonly Expected[];
}

/** A row as ClickHouse shows it in JSONEachRow, with the columns that the format gives. */
export type Expected = { kind: 'event'; row: Record<string, unknown> } | { kind: 'rejected'; code: string } | { kind: 'skipped' };

interface Exchange {
  readonly startMs: number;
  readonly id: string;
  readonly traceId: string;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly path: string;
  /** Keys of the query; each has the value of `secretValue`. */
  readonly query: readonly string[];
  readonly status: number;
  /** Milliseconds; null: the gateway answered by itself. */
  readonly upstreamMs: number | null;
  readonly gatewayMs: number;
  readonly requestSize: number;
  readonly responseSize: number;
  readonly client: string;
  readonly forwarded: string;
  readonly userAgent: string;
  /** Number of the consumer, or null. */
  readonly consumer: number | null;
  readonly route: number;
  readonly tries: number;
}

interface Written {
  readonly record: unknown;
  readonly expected: Expected;
}

type Random = () => number;

const stepMs = 30;
const burstMs = 60_000;
const burstAddress = '198.51.100.23';
/** Looked for in every column by whoever wants to: no value of a query is allow-listed. */
const secretValue = 'tok3n-9f8e7d';
const userAgents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'okhttp/4.12.0',
  'curl/8.5.0',
  'python-requests/2.32',
];
const collections = ['orders', 'customers', 'invoices', 'payments', 'stock'];
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH'];

export function traffic(options: TrafficOptions): { messages: TrafficMessage[] } {
  const random = seeded(options.seed);
  const messages: TrafficMessage[] = [];
  let batch: Written[] = [];
  const flush = () => {
    if (batch.length > 0) messages.push(inArray(batch));
    batch = [];
  };
  for (let index = 0; index < options.records; index += 1) {
    const format = options.formats[pick(random, options.formats.length)] ?? 'kong';
    const exchange = exchangeAt(index, random, options);
    const broken = random() < (options.malformed ?? 0.01);
    if (format === 'apisix') {
      batch.push(broken ? { record: 7, expected: { kind: 'rejected', code: 'UNKNOWN_FORMAT' } } : writers.apisix(exchange));
      if (random() < 1 / 25 || batch.length === 50) flush();
    } else if (broken) messages.push(malformed(exchange, format === 'kong' ? pick(random, 6) : pick(random, 3)));
    else messages.push(alone(writers[format](exchange)));
  }
  flush();
  return { messages };
}

const writers = { kong, apisix, combined, gatetrail } as const satisfies Record<string, (exchange: Exchange) => Written>;

function exchangeAt(index: number, random: Random, { startMs, burst401 }: TrafficOptions): Exchange {
  const number = pick(random, 10_000);
  const consumer = random() < 0.8 ? pick(random, 2000) : null;
  const ordinary: Exchange = {
    startMs: startMs + index * stepMs + pick(random, stepMs),
    id: hex(random, 32),
    traceId: hex(random, 32),
    method: random() < 0.002 ? 'BREW' : (methods[pick(random, methods.length)] ?? 'GET'),
    scheme: random() < 0.7 ? 'https' : 'http',
    host: `api${pick(random, 3)}.example.com`,
    path: `/v1/${collections[number % collections.length]}/${number}`,
    query: random() < 0.5 ? ['page', 'sort'].slice(0, 1 + pick(random, 2)) : [],
    status: statusOf(random()),
    upstreamMs: 1 + pick(random, 120),
    gatewayMs: pick(random, 5),
    requestSize: 120 + pick(random, 900),
    responseSize: 200 + pick(random, 5000),
    client: random() < 0.05 ? `2001:db8::${(1 + pick(random, 60_000)).toString(16)}` : `203.0.113.${pick(random, 250)}`,
    forwarded: random() < 0.3 ? `203.0.113.${pick(random, 250)}, 10.0.0.1` : '',
    userAgent: userAgents[pick(random, userAgents.length)] ?? '',
    consumer,
    route: pick(random, 60),
    tries: random() < 0.02 ? 2 : 1,
  };
  if (burst401 === true && index * stepMs < burstMs - stepMs && index % 4 !== 0) return refusedLogin(ordinary);
  // What the gateway refuses never reaches the upstream.
  return [401, 403, 429].includes(ordinary.status) ? { ...ordinary, upstreamMs: null } : ordinary;
}

function refusedLogin(ordinary: Exchange): Exchange {
  return {
    ...ordinary,
    method: 'POST',
    path: '/v1/login',
    query: [],
    status: 401,
    client: burstAddress,
    forwarded: '',
    consumer: null,
    upstreamMs: null,
  };
}

function statusOf(share: number): number {
  if (share < 0.6) return 200;
  if (share < 0.8) return 201;
  if (share < 0.95) return 204;
  if (share < 0.98) return 404;
  return [304, 400, 401, 403, 429, 500, 503][Math.floor((share - 0.98) * 350)] ?? 200;
}

/** gateways.md §7.1: the serializer that all log plugins of Kong share. */
function kong(exchange: Exchange): Written {
  const { upstreamMs, gatewayMs, consumer, route, status } = exchange;
  const reached = upstreamMs !== null;
  const durationMs = gatewayMs + (upstreamMs ?? 0) + 1;
  const upstreamStatus = !reached ? '' : exchange.tries === 2 ? `502, ${status}` : String(status);
  const tries = Array.from({ length: reached ? exchange.tries : 0 }, (_, at) => ({
    ip: '10.1.2.3',
    port: 8080,
    balancer_latency: 0,
    balancer_start: exchange.startMs + at,
  }));
  const record = {
    request: {
      id: exchange.id,
      uri: uriOf(exchange),
      url: `${exchange.scheme}://${exchange.host}:8000${exchange.path}`,
      querystring: Object.fromEntries(exchange.query.map((key) => [key, secretValue])),
      method: exchange.method,
      headers: headersOf(exchange),
      size: exchange.requestSize,
      ...(exchange.scheme === 'https' && { tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', client_verify: 'NONE' } }),
    },
    upstream_uri: uriOf(exchange),
    upstream_status: upstreamStatus,
    response: {
      status,
      size: exchange.responseSize,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        date: new Date(exchange.startMs).toUTCString(),
        'x-kong-proxy-latency': String(gatewayMs),
        via: 'kong/3.9.1',
      },
    },
    latencies: { kong: gatewayMs, proxy: upstreamMs ?? -1, request: durationMs, receive: reached ? 1 : 0 },
    ...(reached && { tries }),
    ...(consumer !== null && {
      authenticated_entity: { id: `key-${consumer}` },
      consumer: { id: `c${consumer}`, username: `app-${consumer}`, custom_id: `x${consumer}` },
    }),
    route: {
      id: `rt${route}`,
      name: `route-${route}`,
      paths: [routePath(exchange)],
      methods: ['GET', 'POST'],
      tags: {},
      service: { id: `svc${route % 12}` },
    },
    service: { id: `svc${route % 12}`, name: `service-${route % 12}`, host: 'orders.internal', port: 8080, protocol: 'http' },
    trace_id: { w3c: exchange.traceId },
    client_ip: exchange.client,
    started_at: exchange.startMs,
    source: reached ? 'upstream' : 'kong',
    workspace: 'default',
  };
  const row = {
    ...common(exchange, 'kong'),
    gateway_kind: 'kong',
    timestamp: timeText(exchange.startMs * 1000),
    time_source: 'start',
    url_scheme: exchange.scheme,
    server_address: exchange.host,
    http_route: routeOf(exchange),
    gateway_route_id: `rt${route}`,
    gateway_route_name: `route-${route}`,
    gateway_service_id: `svc${route % 12}`,
    gateway_service_name: `service-${route % 12}`,
    upstream_status_code: reached ? status : null,
    upstream_attempts: reached ? exchange.tries : null,
    error_type: reached ? '' : 'kong',
    duration_ms: durationMs,
    upstream_duration_ms: upstreamMs,
    gateway_duration_ms: gatewayMs,
    http_request_size: exchange.requestSize,
    http_response_size: exchange.responseSize,
    forwarded_for: exchange.forwarded,
    consumer_id: consumer === null ? '' : `c${consumer}`,
    consumer_name: consumer === null ? '' : `app-${consumer}`,
    credential_id: consumer === null ? '' : `key-${consumer}`,
    tls_protocol_version: exchange.scheme === 'https' ? 'TLSv1.3' : '',
    tls_cipher: exchange.scheme === 'https' ? 'TLS_AES_256_GCM_SHA384' : '',
    request_id: exchange.id,
    trace_id: exchange.traceId,
  };
  return { record, expected: { kind: 'event', row } };
}

/** gateways.md §7.2: the default format of APISIX's loggers; times are floats. */
function apisix(exchange: Exchange): Written {
  const { upstreamMs, gatewayMs, consumer, route } = exchange;
  const startMs = exchange.startMs + (exchange.requestSize % 4) / 4;
  const durationMs = gatewayMs + 0.125 + (upstreamMs ?? 0);
  const record = {
    request: {
      url: `${exchange.scheme}://${exchange.host}:9080${uriOf(exchange)}`,
      uri: uriOf(exchange),
      method: exchange.method,
      headers: { ...headersOf(exchange), 'x-request-id': exchange.id },
      querystring: Object.fromEntries(exchange.query.map((key) => [key, secretValue])),
      size: exchange.requestSize,
    },
    response: { status: exchange.status, headers: { 'content-type': 'application/json' }, size: exchange.responseSize },
    server: { hostname: 'edge-1', version: '3.9.1' },
    ...(upstreamMs !== null && { upstream: '10.1.2.3:8080', upstream_latency: upstreamMs }),
    service_id: `svc${route % 12}`,
    route_id: `rt${route}`,
    ...(consumer !== null && { consumer: { username: `app-${consumer}` } }),
    client_ip: exchange.client,
    start_time: startMs,
    latency: durationMs,
    apisix_latency: gatewayMs + 0.125,
  };
  const row = {
    ...common(exchange, 'apisix'),
    gateway_kind: 'apisix',
    timestamp: timeText(startMs * 1000),
    time_source: 'start',
    server_address: exchange.host,
    gateway_route_id: `rt${route}`,
    gateway_service_id: `svc${route % 12}`,
    duration_ms: durationMs,
    upstream_duration_ms: upstreamMs,
    gateway_duration_ms: gatewayMs + 0.125,
    http_request_size: exchange.requestSize,
    http_response_size: exchange.responseSize,
    forwarded_for: exchange.forwarded,
    consumer_name: consumer === null ? '' : `app-${consumer}`,
    request_id: exchange.id,
  };
  return { record, expected: { kind: 'event', row } };
}

/** gateways.md §7.5: the time is the end, in whole seconds, in the zone of the host. */
function combined(exchange: Exchange): Written {
  const endMs = Math.floor((exchange.startMs + exchange.gatewayMs + (exchange.upstreamMs ?? 0)) / 1000) * 1000;
  const offsetHours = exchange.route % 2 === 0 ? 0 : 2;
  const user = exchange.consumer === null ? '-' : `app-${exchange.consumer}`;
  const request = `${exchange.method} ${uriOf(exchange)} HTTP/1.1`;
  const time = clfTime(endMs, offsetHours);
  const record = `${exchange.client} - ${user} [${time}] "${request}" ${exchange.status} ${exchange.responseSize} "-" "${exchange.userAgent}"`;
  const row = {
    ...common(exchange, 'combined'),
    gateway_kind: 'nginx',
    timestamp: timeText(endMs * 1000),
    time_source: 'end',
    consumer_name: user === '-' ? '' : user,
    http_response_body_size: exchange.responseSize,
    network_protocol_version: '1.1',
    duration_ms: null,
  };
  return { record, expected: { kind: 'event', row } };
}

/** cli.md: the canonical event itself, with microseconds. */
function gatetrail(exchange: Exchange): Written {
  const micros = exchange.startMs * 1000 + (exchange.responseSize % 1000);
  const row = {
    ...common(exchange, 'gatetrail'),
    timestamp: timeText(micros),
    time_source: 'start',
    gateway_kind: 'mesh',
    gateway_name: `mesh-${exchange.route % 3}`,
    url_scheme: exchange.scheme,
    server_address: exchange.host,
    http_route: routeOf(exchange),
    duration_ms: exchange.gatewayMs + (exchange.upstreamMs ?? 0) + 0.5,
    upstream_duration_ms: exchange.upstreamMs,
    http_request_body_size: exchange.requestSize,
    consumer_name: exchange.consumer === null ? '' : `app-${exchange.consumer}`,
    request_id: exchange.id,
    trace_id: exchange.traceId,
  };
  const { tenant: _tenant, source_format: _format, ...given } = row;
  const query = queryOf(exchange, secretValue);
  const record = { ...given, timestamp: `${row.timestamp.replace(' ', 'T')}Z`, client_address: exchange.client, url_query: query };
  return { record, expected: { kind: 'event', row } };
}

/** Columns that all formats give. */
function common(exchange: Exchange, format: string) {
  const known = exchange.method !== 'BREW';
  return {
    tenant: 'default',
    source_format: format,
    http_request_method: known ? exchange.method : '_OTHER',
    http_request_method_original: known ? '' : exchange.method,
    url_path: exchange.path,
    url_query: queryOf(exchange, 'REDACTED'),
    http_response_status_code: exchange.status,
    outcome: outcomeOf(exchange.status),
    client_address: exchange.client.includes(':') ? exchange.client : `::ffff:${exchange.client}`,
    user_agent_original: exchange.userAgent,
  };
}

function outcomeOf(status: number): string {
  if ([401, 403, 407].includes(status)) return 'auth_failure';
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'client_error' : 'success';
}

/** Sorts 0 to 2 are broken whatever the format, 3 to 5 are Kong's. */
function malformed(exchange: Exchange, sort: number): TrafficMessage {
  const { record } = kong(exchange);
  const text = JSON.stringify(record);
  const { started_at: startedAt, request, ...rest } = record as Record<string, unknown>;
  const refused = (value: Buffer | string, code: string): TrafficMessage => ({
    key: null,
    value: Buffer.from(value),
    expected: [{ kind: 'rejected', code }],
  });
  if (sort === 0) return refused(text.slice(0, text.length - 100), 'BAD_JSON');
  if (sort === 1) return refused(JSON.stringify({ hello: exchange.id, level: 'info' }), 'UNKNOWN_FORMAT');
  if (sort === 2)
    return refused(Buffer.concat([Buffer.from('{"request":"'), Buffer.from([0xff, 0xc0]), Buffer.from('"}')]), 'BAD_ENCODING');
  if (sort === 3) return refused(JSON.stringify({ request, ...rest, started_at: 'soon' }), 'BAD_TIME');
  if (sort === 4) return refused(JSON.stringify({ request, ...rest }), 'UNKNOWN_FORMAT');
  const session = { tls: {}, received: exchange.requestSize, sent: exchange.responseSize };
  const { response: _response, ...stream } = rest;
  return { key: null, value: Buffer.from(JSON.stringify({ session, ...stream, started_at: startedAt })), expected: [{ kind: 'skipped' }] };
}

function alone({ record, expected }: Written): TrafficMessage {
  return { key: null, value: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)), expected: [expected] };
}

function inArray(batch: readonly Written[]): TrafficMessage {
  return {
    key: null,
    value: Buffer.from(JSON.stringify(batch.map(({ record }) => record))),
    expected: batch.map(({ expected }) => expected),
  };
}

function headersOf({ host, userAgent, forwarded }: Exchange): Record<string, string> {
  return {
    host,
    'user-agent': userAgent,
    accept: 'application/json',
    connection: 'keep-alive',
    cookie: `session=${secretValue}`,
    ...(forwarded !== '' && { 'x-forwarded-for': forwarded }),
  };
}

/** The template, which a gateway gives or which is worked out below the path that it gives. */
const routeOf = ({ path }: Exchange): string => path.replace(/\d+$/, '{id}');
const routePath = ({ path }: Exchange): string => path.split('/').slice(0, 3).join('/');

const queryOf = ({ query }: Exchange, value: string): string => query.map((key) => `${key}=${value}`).join('&');

function uriOf(exchange: Exchange): string {
  const query = queryOf(exchange, secretValue);
  return query === '' ? exchange.path : `${exchange.path}?${query}`;
}

/** DateTime64(6) as ClickHouse writes it. */
function timeText(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19).replace('T', ' ');
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}`;
}

function clfTime(ms: number, offsetHours: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms + offsetHours * 3_600_000).toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0${offsetHours}00`;
}

const pick = (random: Random, count: number): number => Math.floor(random() * count);

const hex = (random: Random, digits: number): string =>
  Array.from({ length: digits / 8 }, () =>
    pick(random, 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
