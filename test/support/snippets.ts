/** The fenced blocks of the pages of docs/, and the record that a gateway writes when it follows one of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './sources.ts';

export interface Snippet {
  /** `kong`, or `shippers`. */
  readonly page: string;
  readonly language: string;
  /** The format that a record of it is read as; '' where it describes no record. */
  readonly reads: string;
  readonly text: string;
}

export function snippets(): readonly Snippet[] {
  const pages = readdirSync(join(root, 'docs/gateways')).map((name) => join('docs/gateways', name));
  return [...pages, 'docs/shippers.md'].flatMap((file) => snippetsOf(file));
}

function snippetsOf(file: string): Snippet[] {
  const page = /([\w-]+)\.md$/.exec(file)?.[1] ?? '';
  const fences = readFileSync(join(root, file), 'utf8').matchAll(/^```(\w+)(?: reads-as=(\S+))?\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = '', reads = '', text = '']) => ({ page, language, reads, text }));
}

/** One request, in the words of each notation: GET /v1/orders/42?page=2 at 11:00:00.123, answered with 200 after 46 ms. */
const startMs = Date.parse('2026-11-24T11:00:00.123Z');
export const request = { startMs, method: 'GET', path: '/v1/orders/42', status: 200, client: '203.0.113.7' };

const nginx: Readonly<Record<string, string>> = {
  msec: '1795518000.169',
  time_iso8601: '2026-11-24T11:00:00+00:00',
  time_local: '24/Nov/2026:11:00:00 +0000',
  remote_addr: '203.0.113.7',
  remote_user: 'shop-app',
  consumer_name: 'shop-app',
  request: 'GET /v1/orders/42?page=2 HTTP/1.1',
  request_method: 'GET',
  request_uri: '/v1/orders/42?page=2',
  server_protocol: 'HTTP/1.1',
  scheme: 'https',
  host: 'api.example.com',
  status: '200',
  bytes_sent: '1874',
  body_bytes_sent: '1642',
  request_length: '314',
  request_time: '0.046',
  upstream_addr: '192.0.2.21:8080',
  upstream_status: '200',
  upstream_response_time: '0.041',
  upstream_response_length: '1642',
  proxy_upstream_name: 'shop-orders-80',
  proxy_alternative_upstream_name: '',
  http_referer: 'https://shop.example.com/cart',
  http_user_agent: 'okhttp/4.12.0',
  http_x_forwarded_for: '198.51.100.9',
  request_id: '9f3c1a7be2d84f60a1b2c3d4e5f60718',
  req_id: '9f3c1a7be2d84f60a1b2c3d4e5f60718',
  ssl_protocol: 'TLSv1.3',
  ssl_cipher: 'TLS_AES_256_GCM_SHA384',
};

/** API Gateway writes every value as text. */
const aws: Readonly<Record<string, string>> = {
  requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
  requestTimeEpoch: String(startMs),
  'identity.sourceIp': '203.0.113.7',
  'identity.userAgent': 'okhttp/4.12.0',
  'identity.caller': '-',
  'identity.apiKeyId': 'k-1',
  'authorizer.principalId': 'c-7',
  httpMethod: 'GET',
  resourcePath: '/v1/orders/{id}',
  routeKey: 'GET /v1/orders/{id}',
  path: '/v1/orders/42',
  domainName: 'api.example.com',
  apiId: 'a1b2c3',
  status: '200',
  protocol: 'HTTP/1.1',
  responseLength: '1642',
  responseLatency: '46',
  'integration.latency': '41',
  'integration.status': '200',
  'error.responseType': '-',
  xrayTraceId: '1-0af76519-16cd43dd8448eb211c80319c',
};

/** Numbers where Envoy renders numbers, null where there is nothing. */
const envoy: Readonly<Record<string, string | number | null>> = {
  START_TIME: '2026-11-24T11:00:00.123Z',
  'REQ(:METHOD)': 'GET',
  'REQ(X-ENVOY-ORIGINAL-PATH?:PATH)': '/v1/orders/42?page=2',
  PROTOCOL: 'HTTP/2',
  'REQ(:AUTHORITY)': 'api.example.com',
  RESPONSE_CODE: 200,
  RESPONSE_FLAGS: '-',
  RESPONSE_CODE_DETAILS: 'via_upstream',
  CONNECTION_TERMINATION_DETAILS: null,
  UPSTREAM_TRANSPORT_FAILURE_REASON: null,
  BYTES_RECEIVED: 0,
  BYTES_SENT: 1642,
  DURATION: 46,
  'RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)': '41',
  UPSTREAM_REQUEST_ATTEMPT_COUNT: 1,
  UPSTREAM_HOST: '192.0.2.31:8080',
  UPSTREAM_CLUSTER: 'orders',
  UPSTREAM_LOCAL_ADDRESS: '192.0.2.30:41822',
  DOWNSTREAM_LOCAL_ADDRESS: '192.0.2.30:8443',
  DOWNSTREAM_REMOTE_ADDRESS: '203.0.113.7:51234',
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: '192.0.2.10:40112',
  REQUESTED_SERVER_NAME: 'api.example.com',
  ROUTE_NAME: 'orders',
  'REQ(X-FORWARDED-FOR)': '198.51.100.9,203.0.113.7',
  'REQ(USER-AGENT)': 'okhttp/4.12.0',
  'REQ(X-REQUEST-ID)': '0e6f2c1a-5b7d-4c8e-9f10-a1b2c3d4e5f6',
};

const haproxy: Readonly<Record<string, string>> = {
  '[request_date(ms)]': String(startMs),
  '[capture.req.method,json(utf8s)]': 'GET',
  '[capture.req.uri,json(utf8s)]': '/v1/orders/42?page=2',
  '[capture.req.hdr(0),json(utf8s)]': 'api.example.com',
  '[capture.req.hdr(1),json(utf8s)]': 'okhttp/4.12.0',
  '[txn.timer.total,mul(1000000)]': '46000000',
  HV: 'HTTP/1.1',
  ST: '200',
  U: '314',
  B: '1874',
  ci: '203.0.113.7',
};

const apache: Readonly<Record<string, string>> = {
  V: 'api.example.com',
  a: '203.0.113.7',
  u: 'shop-app',
  t: '[24/Nov/2026:11:00:00 +0000]',
  r: 'GET /v1/orders/42?page=2 HTTP/1.1',
  '>s': '200',
  B: '1642',
  '{Referer}i': 'https://shop.example.com/cart',
  '{User-Agent}i': 'okhttp/4.12.0',
  '{X-Forwarded-For}i': '198.51.100.9',
};

/** The name of each variable is group 1 of its notation. */
const notations = {
  nginx: { pattern: /\$([a-z_0-9]+)/g, values: nginx },
  aws: { pattern: /\$context\.([\w.]+)/g, values: aws },
  envoy: { pattern: /%([^%]+)%/g, values: envoy },
  haproxy: { pattern: /%(\[[^\]]*\]|[A-Za-z]+)/g, values: haproxy },
  apache: { pattern: /%(\{[^}]*\}i|>s|[A-Za-z])/g, values: apache },
} as const;

type Notation = keyof typeof notations;

/** The record that a gateway writes by the template in the snippet. @throws Error for a variable that is not known here */
export function recordOf({ language, text }: Snippet): string {
  switch (language) {
    case 'nginx':
      return filled([...text.slice(0, text.indexOf(';')).matchAll(/'([^']*)'/g)].map(([, part]) => part).join(''), 'nginx');
    case 'apache':
      return filled((/LogFormat "((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? '').replaceAll('\\"', '"'), 'apache');
    case 'haproxy':
      return filled(/log-format '(.*)'/.exec(text)?.[1] ?? '', 'haproxy');
    case 'yaml':
      return recordOfYaml(parse(text));
    case 'json':
      return recordOfJson(JSON.parse(text) as Readonly<Record<string, unknown>>);
    default:
      return text.trim();
  }
}

function recordOfYaml(document: unknown): string {
  const fields = (found(document, 'json_format') ?? found(document, 'json')) as Readonly<Record<string, unknown>> | undefined;
  if (fields !== undefined) return JSON.stringify(object(fields, 'envoy'));
  const text = found(document, 'accessLogFormat');
  if (typeof text === 'string') return JSON.stringify(object(JSON.parse(text) as Readonly<Record<string, unknown>>, 'envoy'));
  return filled(String(found(document, 'log-format-upstream')), 'nginx');
}

function recordOfJson(document: Readonly<Record<string, unknown>>): string {
  const { log_format: format } = document;
  if (format !== undefined) return JSON.stringify(object(format as Readonly<Record<string, unknown>>, 'nginx'));
  return JSON.stringify(object(document, 'aws'));
}

/** The value under a key, however deep it stands. */
function found(document: unknown, key: string): unknown {
  if (typeof document !== 'object' || document === null) return undefined;
  for (const [name, value] of Object.entries(document)) {
    const below = name === key ? value : found(value, key);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Values that are no texts are no templates. */
function object(fields: Readonly<Record<string, unknown>>, notation: Notation): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? typed(value, notation) : value]),
  );
}

/** A value that is one variable keeps its type. */
function typed(template: string, notation: Notation): unknown {
  const { pattern } = notations[notation];
  const whole = [...template.matchAll(pattern)].find(([variable]) => variable === template);
  return whole === undefined ? filled(template, notation) : valueOf(whole[1] ?? '', notation);
}

const filled = (template: string, notation: Notation): string =>
  template.replaceAll(notations[notation].pattern, (_, name: string) => String(valueOf(name, notation)));

function valueOf(name: string, notation: Notation): string | number | null {
  const value = (notations[notation].values as Readonly<Record<string, string | number | null>>)[name];
  if (value === undefined) throw new Error(`no value of the request is known for the variable ${name} of ${notation}`);
  return value;
}
