/**
 * OpenTelemetry, OTLP as JSON: spans of kind SERVER and log records with attributes of HTTP, by their names of today and of before
 * 1.21. Times in nanoseconds since the epoch, as texts; sizes in bytes. Source of the layout: open-telemetry/opentelemetry-proto,
 * docs/specification.md, trace.proto and logs.proto; open-telemetry/semantic-conventions, docs/http.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, isObject, type Json, listOf, numberOf, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient } from '../forwarded.ts';
import type { Gateway, JsonFormat, SourceSettings } from '../gateway.ts';
import { readHeaders } from '../headers.ts';
import { versionOf } from '../targets.ts';
import { epochMicros } from '../times.ts';
import { readUrl } from '../urls.ts';

type Attributes = ReadonlyMap<string, unknown>;

const format: JsonFormat = {
  order: 10,
  test: 'a list `resourceSpans` or `resourceLogs`',
  // Nanoseconds have 19 digits. Inside a text such a key has its quotes escaped.
  longNumbers: { sign: /UnixNano"\s*:\s*\d/, pattern: /("\w{1,20}UnixNano"\s*:\s*)(\d{17,20})(?=[\s,}])/g },
  recognises: (document) => Array.isArray(document['resourceSpans']) || Array.isArray(document['resourceLogs']),
  records(document) {
    const spans = spansOf(document);
    noteUpstreams(spans);
    return [...spans, ...logsOf(document)];
  },
  // What the collector read from a file or the output of a container.
  carried: (record) => (isSpan(record) || isHttp(record) ? '' : textOf(objectOf(record['body'])['stringValue'])),
  skips(record) {
    if (isSpan(record) && !isServer(record)) return 'not a request: a span of another kind than SERVER';
    return isHttp(record) ? '' : 'not a request: no attribute of HTTP';
  },
  read(record, event, source) {
    const attributes = attributesOf(record);
    event.gateway_kind = 'otlp';
    event.trace_id = textOf(record['traceId']).toLowerCase();
    event.span_id = textOf(record['spanId']).toLowerCase();
    readTimes(record, event);
    readHeadersOf(attributes, event);
    readRequest(attributes, event);
    readUrlOf(attributes, event);
    readResponse(attributes, event);
    readParties(attributes, event, source);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** Up to 0.18 of the protocol a scope was an instrumentation library. */
function spansOf(document: Json): readonly Json[] {
  return listOf(document['resourceSpans']).flatMap((each) => {
    const resource = objectOf(each);
    const scopes = listOf(resource['scopeSpans'] ?? resource['instrumentationLibrarySpans']);
    return scopes.flatMap((scope) => listOf(objectOf(scope)['spans']).map(objectOf));
  });
}

function logsOf(document: Json): readonly Json[] {
  return listOf(document['resourceLogs']).flatMap((each) => {
    const resource = objectOf(each);
    const scopes = listOf(resource['scopeLogs'] ?? resource['instrumentationLibraryLogs']);
    return scopes.flatMap((scope) => listOf(objectOf(scope)['logRecords']).map(objectOf));
  });
}

const isSpan = (record: Json): boolean =>
  record['kind'] !== undefined || record['startTimeUnixNano'] !== undefined || record['endTimeUnixNano'] !== undefined;

const isServer = ({ kind }: Json): boolean => kind === 2 || kind === 'SPAN_KIND_SERVER';
const isClient = ({ kind }: Json): boolean => kind === 3 || kind === 'SPAN_KIND_CLIENT';

const isHttp = (record: Json): boolean => listOf(record['attributes']).some(isOfHttp);

function isOfHttp(attribute: unknown): boolean {
  const key = textOf(objectOf(attribute)['key']);
  return key.startsWith('http.') || key.startsWith('url.');
}

interface Call {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Milliseconds that a span of a server waited for its calls, where they came in the same message: noted when the message is opened,
 * since a call ends first and mostly stands before its server.
 */
const upstreams = new WeakMap<Json, number>();

function noteUpstreams(spans: readonly Json[]): void {
  const calls = new Map<string, Call[]>();
  for (const span of spans) {
    const call = isClient(span) ? callOf(span) : null;
    if (call === null) continue;
    const parent = idOf(span['traceId'], span['parentSpanId']);
    const siblings = calls.get(parent);
    if (siblings === undefined) calls.set(parent, [call]);
    else siblings.push(call);
  }
  if (calls.size === 0) return;
  for (const span of spans) {
    const own = isServer(span) ? calls.get(idOf(span['traceId'], span['spanId'])) : undefined;
    if (own !== undefined) upstreams.set(span, openMillis(own));
  }
}

const idOf = (trace: unknown, span: unknown): string => `${textOf(trace)} ${textOf(span)}`.toLowerCase();

/** Time with at least one call open: retries follow each other, calls to several upstreams overlap. */
function openMillis(calls: readonly Call[]): number {
  let nanos = 0n;
  let until = 0n;
  for (const { start, end } of calls.toSorted((a, b) => Number(a.start - b.start))) {
    if (end <= until) continue;
    nanos += end - (start > until ? start : until);
    until = end;
  }
  return Number(nanos) / 1e6;
}

/** Null without both times, or where they run backwards. */
function callOf(span: Json): Call | null {
  const start = nanosOf(span['startTimeUnixNano']);
  const end = nanosOf(span['endTimeUnixNano']);
  return start === null || end === null || end < start ? null : { start, end };
}

/** 0 is a time that is not known. */
function nanosOf(value: unknown): bigint | null {
  if (typeof value === 'string') return /^\d{1,20}$/.test(value) ? BigInt(value) || null : null;
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? BigInt(value) : null;
}

function readTimes(record: Json, event: CanonicalEvent): void {
  if (!isSpan(record)) {
    const time = known(record['timeUnixNano']);
    event.timestamp =
      time === undefined
        ? epochMicros(known(record['observedTimeUnixNano']), '$.observedTimeUnixNano')
        : epochMicros(time, '$.timeUnixNano');
    return;
  }
  event.timestamp = epochMicros(known(record['startTimeUnixNano']), '$.startTimeUnixNano');
  const call = callOf(record);
  event.duration_ms = call === null ? null : Number(call.end - call.start) / 1e6;
  event.upstream_duration_ms = upstreams.get(record) ?? null;
}

const known = (time: unknown): unknown => (time === null || time === '' || numberOf(time) === 0 ? undefined : time);

function attributesOf(record: Json): Attributes {
  const attributes = new Map<string, unknown>();
  for (const each of listOf(record['attributes'])) {
    const { key, value } = objectOf(each);
    if (typeof key === 'string') attributes.set(key, plain(value));
  }
  return attributes;
}

/** A 64-bit number is a text; of headers each is a list. */
function plain(value: unknown): unknown {
  const { stringValue, intValue, doubleValue, arrayValue } = objectOf(value);
  if (isObject(arrayValue)) return listOf(arrayValue['values']).map((each) => objectOf(each)['stringValue']);
  return stringValue ?? intValue ?? doubleValue;
}

/** Captured headers, if the instrumentation was asked for them. */
function readHeadersOf(attributes: Attributes, event: CanonicalEvent): void {
  const headers = {
    'x-forwarded-for': attributes.get('http.request.header.x-forwarded-for'),
    'x-request-id': attributes.get('http.request.header.x-request-id'),
    'content-type': attributes.get('http.request.header.content-type'),
    referer: attributes.get('http.request.header.referer'),
    'user-agent': attributes.get('user_agent.original') ?? attributes.get('http.user_agent'),
  };
  readHeaders(headers, event);
}

function readRequest(attributes: Attributes, event: CanonicalEvent): void {
  event.http_request_method = textOf(attributes.get('http.request.method') ?? attributes.get('http.method'));
  if (event.http_request_method === '_OTHER') event.http_request_method_original = textOf(attributes.get('http.request.method_original'));
  event.http_route = textOf(attributes.get('http.route'));
  event.network_protocol_version = versionOf(textOf(attributes.get('network.protocol.version') ?? attributes.get('http.flavor')));
  event.tls_protocol_version = textOf(attributes.get('tls.protocol.version'));
  event.tls_cipher = textOf(attributes.get('tls.cipher'));
  event.http_request_size = countOf(attributes.get('http.request.size'));
  event.http_request_body_size = countOf(attributes.get('http.request.body.size') ?? attributes.get('http.request_content_length'));
}

function readUrlOf(attributes: Attributes, event: CanonicalEvent): void {
  const parts = {
    whole: textOf(attributes.get('url.full') ?? attributes.get('http.url')),
    path: textOf(attributes.get('url.path') ?? attributes.get('http.target')),
    query: textOf(attributes.get('url.query')),
    scheme: textOf(attributes.get('url.scheme') ?? attributes.get('http.scheme')),
    host: textOf(attributes.get('server.address') ?? attributes.get('http.host') ?? attributes.get('net.host.name')),
  };
  readUrl(parts, event);
}

function readResponse(attributes: Attributes, event: CanonicalEvent): void {
  event.http_response_status_code = statusOf(attributes.get('http.response.status_code') ?? attributes.get('http.status_code'));
  event.error_type = textOf(attributes.get('error.type'));
  event.http_response_size = countOf(attributes.get('http.response.size'));
  event.http_response_body_size = countOf(attributes.get('http.response.body.size') ?? attributes.get('http.response_content_length'));
}

/** An address may be a host name or the path of a socket here, which is none. Who gives the peer as the client has decided nothing. */
function readParties(attributes: Attributes, event: CanonicalEvent, source: SourceSettings): void {
  const peer = attributes.get('network.peer.address') ?? attributes.get('net.sock.peer.addr') ?? attributes.get('net.peer.ip');
  event.network_peer_address = readAddress(textOf(peer));
  event.client_address = readAddress(textOf(attributes.get('client.address') ?? attributes.get('http.client_ip') ?? peer));
  if (event.client_address === event.network_peer_address) decideClient(event, source);
  event.consumer_id = textOf(attributes.get('enduser.id') ?? attributes.get('user.id'));
  event.consumer_name = textOf(attributes.get('user.name'));
}
