/**
 * Traefik, access log as JSON or CLF. JSON has durations in nanoseconds; a line has the time of the START, unlike those of others,
 * and behind the combined layout `count "router" "server" NNms`. Sizes are bytes of bodies.
 * Source of the layouts: traefik/traefik, pkg/middlewares/accesslog/logdata.go, logger.go and logger_formatters.go.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, type Json, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { readForwarded, rightmost } from '../forwarded.ts';
import { type Gateway, type JsonFormat, ReadFailure, type SourceSettings, type TextFormat } from '../gateway.ts';
import { readHeaders, readReferer } from '../headers.ts';
import { hostOf, readTarget, versionOf } from '../targets.ts';
import { clfMicros, endedAt, isoMicros } from '../times.ts';

const json: JsonFormat = {
  order: 90,
  test: 'number `DownstreamStatus`, and `RequestMethod`',
  recognises: (record) => typeof record['DownstreamStatus'] === 'number' && record['RequestMethod'] !== undefined,
  // Its own log shares the stream.
  skips: (record) =>
    record['DownstreamStatus'] === undefined && record['RequestMethod'] === undefined ? 'not a request: neither status nor method' : '',
  read(record, event, source) {
    event.gateway_kind = 'traefik';
    event.http_request_method = textOf(record['RequestMethod']);
    readTarget(textOf(record['RequestPath']), event);
    event.url_scheme = textOf(record['RequestScheme']);
    event.server_address = withoutBrackets(textOf(record['RequestHost']));
    event.network_protocol_version = versionOf(textOf(record['RequestProtocol']));
    event.http_response_status_code = statusOf(record['DownstreamStatus']);
    event.http_request_body_size = countOf(record['RequestContentSize']);
    event.http_response_body_size = countOf(record['DownstreamContentSize']);
    event.duration_ms = millisFromNanos(record['Duration']);
    event.gateway_duration_ms = millisFromNanos(record['Overhead']);
    readOrigin(record, event);
    event.consumer_name = dashed(textOf(record['ClientUsername']));
    // 1.7 had frontends and backends.
    event.gateway_route_name = textOf(record['RouterName']) || textOf(record['FrontendName']);
    event.gateway_service_name = textOf(record['ServiceName']) || textOf(record['BackendName']);
    event.tls_protocol_version = textOf(record['TLSVersion']);
    event.tls_cipher = textOf(record['TLSCipher']);
    event.trace_id = (textOf(record['TraceId']) || textOf(record['trace_id'])).toLowerCase();
    event.span_id = (textOf(record['SpanId']) || textOf(record['span_id'])).toLowerCase();
    readTime(record, event);
    readKeptHeaders(record, event);
    event.network_peer_address = readAddress(textOf(record['ClientAddr']));
    readClient(textOf(record['ClientHost']), event, source);
  },
};

/**
 * address(es) - user [time] "request… Nothing in a line is escaped, and clients write most of it: the request is read from the
 * left, before any header, and what the gateway alone writes from the right. A query with blanks and quotes, which HTTP/2 lets
 * through, can still pretend a status; in JSON none can. A user name can hold all but a colon (RFC 7617), and so no time: brackets
 * in front of one are a user's.
 */
const head = /^([^ ",]+(?: ?, ?[^ ",]+)*) - (?:(.+?) \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:[^\]]{1,40})\]|(.+?) \[-\]) "(.*)$/s;
const body = /^([^ ]+) ([^ ]+) ([^ ]+)" (\d{1,3}|-) (\d+|-) "(.*)"$/s;
const tail = /(?<=") (?:\d+|-) "([^"]*)" "[^"]*" (\d+)ms$/;
/** A longer tail is not looked for: the search starts at each blank. */
const maxTailLength = 1024;

const layout = 'address - user [time] "request" status bytes "referer" "user agent" count "router" "server" NNms';

const text: TextFormat = {
  order: 60,
  test: layout,
  // By what the gateway alone writes: a forwarded list with a blank in it fits no head, and would pass for host and address of combined.
  recognises: (line) => line.endsWith('ms') && tailOf(line) !== null && hasRequest(line),
  skips: (line) => (hasRequest(line) ? '' : 'not a request: no time and request in it'),
  read(line, event, source) {
    // A source of genericCLF has no tail.
    const end = tailOf(line);
    const parts = head.exec(end === null ? line : line.slice(0, -end[0].length));
    if (parts === null) throw new ReadFailure('BAD_FIELD', '', `expected: ${layout}`);
    const [, host = '', dated, at = '', undated = '', rest = ''] = parts;
    event.gateway_kind = 'traefik';
    event.timestamp = clfMicros(at, '$.StartUTC');
    event.consumer_name = dashed(dated ?? undated);
    event.gateway_route_name = dashed(end?.[1] ?? '');
    event.duration_ms = durationOf(end?.[2]);
    readClient(host, event, source);
    readBody(rest, event);
  },
};

const gateway: Gateway = { json, text };
export default gateway;

const dashed = (value: string): string => (value === '-' ? '' : value);

/** Traefik has taken the port off, and the brackets with it. */
const withoutBrackets = (host: string): string => (host[0] === '[' ? hostOf(host) : host);

function millisFromNanos(nanos: unknown): number | null {
  const read = durationOf(nanos);
  return read === null ? null : read / 1e6;
}

/** Status 0: no origin was asked, which is not the same as one that took 0 ms. The first attempt is no retry. */
function readOrigin(record: Json, event: CanonicalEvent): void {
  const status = statusOf(record['OriginStatus']);
  const ms = millisFromNanos(record['OriginDuration']);
  const retries = countOf(record['RetryAttempts'], 254);
  event.upstream_status_code = status;
  event.upstream_duration_ms = status === null ? ms || null : ms;
  event.upstream_attempts = status === null || retries === null ? null : retries + 1;
}

/** Each field can be dropped by configuration. `time` is when the record was written. */
function readTime(record: Json, event: CanonicalEvent): void {
  const { StartUTC: utc, StartLocal: local, time } = record;
  if (utc === undefined && local === undefined && time !== undefined) return endedAt(isoMicros(time, '$.time'), event);
  event.timestamp = utc === undefined && local !== undefined ? isoMicros(local, '$.StartLocal') : isoMicros(utc, '$.StartUTC');
}

/** Dropped by default. Only the client that a list names is told by `readClient`. */
function readKeptHeaders(record: Json, event: CanonicalEvent): void {
  readHeaders(
    {
      'user-agent': kept(record['request_User-Agent']),
      'x-forwarded-for': kept(record['request_X-Forwarded-For']),
      'x-request-id': kept(record['request_X-Request-Id']),
      'content-type': kept(record['downstream_Content-Type']) ?? kept(record['origin_Content-Type']),
      referer: kept(record['request_Referer']),
      traceparent: kept(record['request_Traceparent']),
    },
    event,
  );
}

const kept = (header: unknown): unknown => (header === 'REDACTED' ? undefined : header);

/**
 * `ClientHost` is the peer, or the forwarded list as it came where there was one: its last entry is what the hop before saw. Where
 * that is none, or where the source's own proxies are known and the peer is not among them, the peer is the client.
 */
function readClient(host: string, event: CanonicalEvent, source: SourceSettings): void {
  const { network_peer_address: peer } = event;
  if (host.includes(',')) readForwarded(host, event);
  const isForged = source.isTrusted !== null && peer !== '' && !source.isTrusted(peer);
  const isAddress = readAddress(host.slice(host.lastIndexOf(',') + 1).trim()) !== '';
  event.client_address = (isForged || !isAddress ? '' : rightmost(host, source)) || peer;
}

const hasRequest = (line: string): boolean => line.includes('] "');

const tailOf = (line: string): RegExpExecArray | null => tail.exec(line.slice(-maxTailLength));

/** What does not look like a request and its status reads as absent. */
function readBody(rest: string, event: CanonicalEvent): void {
  const [, method = '', path = '', protocol = '', status, bytes, quoted = ''] = body.exec(rest) ?? [];
  const [referer = '', ...agent] = quoted.split('" "');
  event.http_request_method = dashed(method);
  readTarget(dashed(path), event);
  event.network_protocol_version = versionOf(protocol);
  event.http_response_status_code = statusOf(status);
  event.http_response_body_size = countOf(bytes);
  event.user_agent_original = dashed(agent.join('" "'));
  readReferer(referer, event);
}
