/**
 * The demonstration's traffic: requests of a small shop as five gateways would report them, each in its own record
 * layout, with two incidents among them. Same seed, same traffic.
 */
import { randomBytes } from 'node:crypto';

export interface Posting {
  /** Name of the gateway, and the record format it writes. */
  readonly gateway: string;
  readonly format: string;
  readonly type: 'application/json' | 'text/plain';
  readonly body: string;
  readonly requests: number;
}

interface Exchange {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly client: string;
  readonly consumer: string | null;
  readonly agent: string;
  readonly bytes: number;
}

export interface TrafficOptions {
  /** Requests per second over all gateways. */
  readonly rate: number;
  /** Leaves the two incidents out. */
  readonly calm: boolean;
}

type Random = () => number;
type Writer = (exchanges: readonly Exchange[]) => Pick<Posting, 'type' | 'body'>;

/** First second and length of the incidents, after the start. */
const stuffing = { fromMs: 12_000, toMs: 32_000, perSecond: 6 };
const breach = { fromMs: 20_000, toMs: 45_000, perSecond: 8 };

const gateways: readonly { readonly name: string; readonly format: string; readonly write: Writer }[] = [
  { name: 'edge-kong', format: 'kong', write: (exchanges) => json(exchanges.map(toKong)) },
  { name: 'partner-kong', format: 'kong', write: (exchanges) => json(exchanges.map(toKong)) },
  { name: 'mobile-apisix', format: 'apisix', write: (exchanges) => json(exchanges.map(toApisix)) },
  { name: 'legacy-nginx', format: 'combined', write: (exchanges) => ({ type: 'text/plain', body: exchanges.map(toCombined).join('\n') }) },
  { name: 'internal-mesh', format: 'gatetrail', write: (exchanges) => json(exchanges.map(toCanonical)) },
];

const routes = [
  { method: 'GET', path: () => '/v1/products', route: '/v1/products' },
  { method: 'GET', path: (random: Random) => `/v1/products/${below(random, 900)}`, route: '/v1/products/{id}' },
  { method: 'GET', path: (random: Random) => `/v2/orders/${below(random, 9000)}?expand=items`, route: '/v2/orders/{id}' },
  { method: 'POST', path: () => '/v2/orders', route: '/v2/orders' },
  { method: 'POST', path: () => '/v1/cart/items', route: '/v1/cart/items' },
  { method: 'GET', path: (random: Random) => `/v1/customers/${below(random, 400)}/invoices`, route: '/v1/customers/{id}/invoices' },
] as const;

const consumers = ['mobile-app', 'web-shop', 'partner-acme', 'partner-globex', null];
const agents = [
  'okhttp/4.12.0',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36',
  'python-requests/2.32',
  'curl/8.5.0',
];
const statuses = [200, 200, 200, 200, 200, 200, 200, 201, 204, 304, 404, 400, 401, 500, 503];

/** What is posted for the span from `fromMs` to `toMs` after the start; `startedAt` is the wall clock of the start. */
export function createTraffic(options: TrafficOptions, seed = 1): (startedAt: number, fromMs: number, toMs: number) => Posting[] {
  const random = seeded(seed);
  return (startedAt, fromMs, toMs) => {
    const usual = repeated(random, options.rate * ((toMs - fromMs) / 1000), () =>
      ordinary(random, startedAt + fromMs + random() * (toMs - fromMs)),
    );
    const incidents = options.calm
      ? []
      : [...credentialStuffing(random, startedAt, fromMs, toMs), ...rateBreach(random, startedAt, fromMs, toMs)];
    return posted(random, [...usual, ...incidents]);
  };
}

function ordinary(random: Random, at: number): Exchange {
  const { method, path, route } = pick(random, routes);
  return {
    at,
    method,
    path: path(random),
    route,
    status: pick(random, statuses),
    durationMs: 4 + random() ** 3 * 240,
    client: `198.51.100.${1 + below(random, 200)}`,
    consumer: pick(random, consumers),
    agent: pick(random, agents),
    bytes: 200 + below(random, 9000),
  };
}

/** One address tries many passwords: nearly all of its calls are refused. */
function credentialStuffing(random: Random, startedAt: number, fromMs: number, toMs: number): Exchange[] {
  return during(stuffing, random, { startedAt, fromMs, toMs }, (at) => ({
    ...ordinary(random, at),
    method: 'POST',
    path: '/v1/login',
    route: '/v1/login',
    status: random() < 0.95 ? 401 : 200,
    client: '203.0.113.66',
    consumer: null,
    agent: 'python-requests/2.32',
  }));
}

/** One consumer on a small plan exports everything at once. */
function rateBreach(random: Random, startedAt: number, fromMs: number, toMs: number): Exchange[] {
  return during(breach, random, { startedAt, fromMs, toMs }, (at) => ({
    ...ordinary(random, at),
    method: 'GET',
    path: `/v2/orders/${below(random, 9000)}`,
    route: '/v2/orders/{id}',
    status: 200,
    client: '192.0.2.40',
    consumer: 'nightly-export',
    agent: 'exporter/1.9',
  }));
}

interface Span {
  readonly startedAt: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function during(incident: typeof stuffing, random: Random, span: Span, make: (at: number) => Exchange): Exchange[] {
  const from = Math.max(incident.fromMs, span.fromMs);
  const to = Math.min(incident.toMs, span.toMs);
  if (to <= from) return [];
  return repeated(random, incident.perSecond * ((to - from) / 1000), () => make(span.startedAt + from + random() * (to - from)));
}

/** Each exchange goes to one gateway; what a gateway saw is sent as one posting, as its log plugin would batch it. */
function posted(random: Random, exchanges: readonly Exchange[]): Posting[] {
  const groups = new Map(gateways.map((gateway) => [gateway, [] as Exchange[]]));
  for (const exchange of exchanges.toSorted((a, b) => a.at - b.at)) groups.get(pick(random, gateways))?.push(exchange);
  return [...groups]
    .filter(([, seen]) => seen.length > 0)
    .map(([gateway, seen]) => ({ gateway: gateway.name, format: gateway.format, requests: seen.length, ...gateway.write(seen) }));
}

const json = (records: readonly object[]): Pick<Posting, 'type' | 'body'> => ({ type: 'application/json', body: JSON.stringify(records) });

/** Kong http-log. Source of the layout: Kong/kong, kong/pdk/log.lua. */
function toKong(exchange: Exchange): object {
  return {
    request: {
      id: hex(16),
      method: exchange.method,
      uri: exchange.path,
      url: `https://shop.example:8443${exchange.path}`,
      querystring: {},
      headers: { host: 'shop.example', 'user-agent': exchange.agent },
      size: 240,
    },
    upstream_uri: exchange.path,
    upstream_status: String(exchange.status),
    response: { status: exchange.status, size: exchange.bytes, headers: { 'content-type': 'application/json' } },
    latencies: { kong: 1, proxy: Math.round(exchange.durationMs), request: Math.round(exchange.durationMs) + 1, receive: 0 },
    tries: [],
    client_ip: exchange.client,
    started_at: Math.round(exchange.at),
    route: { id: exchange.route, name: exchange.route.replaceAll(/[/{}]+/g, '-').slice(1), paths: [exchange.route] },
    service: { id: 'shop', name: 'shop' },
    ...(exchange.consumer !== null && { consumer: { id: exchange.consumer, username: exchange.consumer } }),
    source: 'upstream',
  };
}

/** Apache APISIX, default log format. Source of the layout: apache/apisix, apisix/utils/log-util.lua. */
function toApisix(exchange: Exchange): object {
  return {
    request: {
      method: exchange.method,
      uri: exchange.path,
      url: `http://shop.example:9080${exchange.path}`,
      headers: { host: 'shop.example', 'user-agent': exchange.agent, 'x-request-id': hex(16) },
      querystring: {},
      size: 190,
    },
    response: { status: exchange.status, size: exchange.bytes, headers: { 'content-type': 'application/json' } },
    server: { hostname: 'apisix-0', version: '3.11.0' },
    upstream: '10.0.0.7:8080',
    service_id: '',
    route_id: exchange.route,
    ...(exchange.consumer !== null && { consumer: { username: exchange.consumer } }),
    client_ip: exchange.client,
    start_time: Math.round(exchange.at),
    latency: exchange.durationMs,
    upstream_latency: exchange.durationMs * 0.9,
    apisix_latency: exchange.durationMs * 0.1,
  };
}

/** NGINX combined: the time is the end of the request, with the resolution of a second. */
function toCombined(exchange: Exchange): string {
  const [, day, month, year, clock] = new Date(exchange.at).toUTCString().split(/[ ,]+/);
  const time = `${day}/${month}/${year}:${clock} +0000`;
  const request = `${exchange.method} ${exchange.path} HTTP/1.1`;
  return `${exchange.client} - ${exchange.consumer ?? '-'} [${time}] "${request}" ${exchange.status} ${exchange.bytes} "-" "${exchange.agent}"`;
}

/** The canonical event, as anyone may produce it. */
function toCanonical(exchange: Exchange): object {
  return {
    timestamp: new Date(exchange.at).toISOString(),
    time_source: 'start',
    gateway_kind: 'mesh',
    gateway_name: 'internal-mesh',
    http_request_method: exchange.method,
    url_scheme: 'https',
    server_address: 'shop.internal',
    url_path: exchange.path.split('?')[0],
    http_route: exchange.route,
    http_response_status_code: exchange.status,
    duration_ms: exchange.durationMs,
    client_address: exchange.client,
    consumer_name: exchange.consumer,
    user_agent_original: exchange.agent,
    request_id: hex(16),
  };
}

function repeated<Item>(random: Random, count: number, make: () => Item): Item[] {
  const whole = Math.floor(count) + (random() < count % 1 ? 1 : 0);
  return Array.from({ length: whole }, make);
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[below(random, items.length)] as Item; // below is an index of the list, which is never empty
}

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** mulberry32 */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
