/**
 * JSON of NGINX, which has no layout of its own: whoever configures it names the keys. Here are the names in use, and those of the
 * variables. The time is the end, durations are seconds, mostly as texts. Source of the variables: nginx.org,
 * ngx_http_log_module, ngx_http_core_module, ngx_http_upstream_module.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, isObject, type Json, numberOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient, readForwarded } from '../forwarded.ts';
import { type Gateway, type JsonFormat, ReadFailure, type TextFormat } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { dashed, readStatus, readUpstreams, textOfBytes } from '../server-logs.ts';
import { hostOf, readOrigin, readRequestLine, readTarget, versionOf } from '../targets.ts';
import { clfMicros, endedAt, epochMicros, isoMicros, millisFromSeconds } from '../times.ts';

const format: JsonFormat = {
  order: 160,
  test: 'a time, an address, a status, and a method or a request line, each under one of the names in use',
  recognises: (record) =>
    record['status'] !== undefined &&
    (typeof record['remote_addr'] === 'string' ||
      typeof record['clientip'] === 'string' ||
      typeof record['client_ip'] === 'string' ||
      typeof record['remote_ip'] === 'string') &&
    (typeof record['request_method'] === 'string' ||
      typeof record['method'] === 'string' ||
      typeof record['verb'] === 'string' ||
      typeof record['request'] === 'string') &&
    hasTime(record),
  skips: () => '',
  read(record, event, source) {
    event.gateway_kind = 'nginx';
    event.duration_ms = millisFromSeconds(numberOf(record['request_time']));
    endedAt(timeOf(record, source.timeZone), event);
    readRequest(record, event);
    readConnection(record, event);
    event.client_address = readAddress(
      textOf(record['remote_addr']) || textOf(record['clientip']) || textOf(record['client_ip']) || textOf(record['remote_ip']),
    );
    readForwarded(given(record['http_x_forwarded_for']), event);
    decideClient(event, source);
    readStatus(textOf(record['status']), event);
    readUpstreams(
      {
        addresses: textOf(record['upstream_addr']),
        statuses: textOf(record['upstream_status']),
        seconds: textOf(record['upstream_response_time']),
      },
      event,
    );
    event.http_request_size = countOf(record['request_length']);
    event.http_response_size = countOf(record['bytes_sent']);
    event.http_response_body_size = countOf(record['body_bytes_sent']) ?? countOf(record['size']);
    event.consumer_name = given(record['remote_user']);
    event.user_agent_original = given(record['http_user_agent']);
    event.request_id = given(record['request_id']);
    readReferer(textOf(record['http_referer']), event);
  },
};

/** With `escape=default` a quote in a header makes the line invalid JSON, and whoever puts one there would be in no audit log. */
const unescaped: TextFormat = {
  order: 160,
  test: 'a JSON object of nginx-json whose texts have \\x22 in them',
  recognises(line) {
    const record = repaired(line);
    return record !== undefined && format.recognises(record);
  },
  skips: () => '',
  read(line, event, source) {
    const record = repaired(line);
    if (record === undefined) throw new ReadFailure('BAD_JSON', '', 'expected a JSON object, it ends early or is malformed');
    format.read(record, event, source);
  },
};
const gateway: Gateway = { json: format, text: unescaped };
export default gateway;

const given = (value: unknown): string => dashed(textOf(value));

const hasTime = (record: Json): boolean =>
  record['time_iso8601'] !== undefined ||
  record['time_local'] !== undefined ||
  record['msec'] !== undefined ||
  record['time'] !== undefined ||
  record['timestamp'] !== undefined ||
  record['ts'] !== undefined ||
  record['@timestamp'] !== undefined;

/** The exact one first, and last the one that shippers put beside it: that is when they read the line. @throws ReadFailure */
function timeOf(record: Json, zone: string): number {
  if (isGiven(record['msec'])) return anyTime(record['msec'], '$.msec', zone);
  if (isGiven(record['time_iso8601'])) return anyTime(record['time_iso8601'], '$.time_iso8601', zone);
  if (isGiven(record['time_local'])) return anyTime(record['time_local'], '$.time_local', zone);
  if (isGiven(record['time'])) return anyTime(record['time'], '$.time', zone);
  if (isGiven(record['timestamp'])) return anyTime(record['timestamp'], '$.timestamp', zone);
  if (isGiven(record['ts'])) return anyTime(record['ts'], '$.ts', zone);
  return anyTime(record['@timestamp'], '$.@timestamp', zone);
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** The names do not tell the notation: an epoch time, that of the common log format, or ISO 8601. @throws ReadFailure */
function anyTime(value: unknown, path: string, zone: string): number {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value))) return epochMicros(value, path);
  return typeof value === 'string' && value[2] === '/' ? clfMicros(value, path, zone) : isoMicros(value, path, zone);
}

/** What was asked for stands in `request_uri` and in the line; `uri` is what NGINX made of it, and has lost the query. */
function readRequest(record: Json, event: CanonicalEvent): void {
  const request = given(record['request']);
  readRequestLine(request, event);
  const asked = given(record['request_uri']);
  if (asked !== '') readUrl(asked, event);
  if (event.url_path === '') {
    readUrl(given(record['uri']) || given(record['path']) || given(record['url']) || (request[0] === '/' ? request : ''), event);
    event.url_query ||= given(record['args']);
  }
  event.http_request_method =
    given(record['request_method']) || given(record['method']) || given(record['verb']) || event.http_request_method;
}

function readUrl(url: string, event: CanonicalEvent): void {
  readOrigin(url, event);
  readTarget(url, event);
}

/** The name `_` stands for any host that has no server of its own. */
function readConnection(record: Json, event: CanonicalEvent): void {
  const host = given(record['host']) || given(record['http_host']) || given(record['server_name']).replace(/^_$/, '');
  if (host !== '') event.server_address = hostOf(host);
  event.url_scheme = given(record['scheme']) || event.url_scheme;
  event.network_protocol_version = versionOf(textOf(record['server_protocol'])) || event.network_protocol_version;
  event.tls_protocol_version = given(record['ssl_protocol']);
  event.tls_cipher = given(record['ssl_cipher']);
}

/** The object with `\x22` undone where no backslash stands before it; undefined where that was not what made it invalid. */
function repaired(line: string): Json | undefined {
  if (line[0] !== '{' || !line.includes('\\x')) return undefined;
  const json = line.replaceAll(/((?:\\x[\dA-Fa-f]{2})+)|\\[^x]/g, (escape: string, bytes: string | undefined) =>
    bytes === undefined ? escape : JSON.stringify(textOfBytes(bytes)).slice(1, -1),
  );
  try {
    const record = JSON.parse(json) as unknown;
    return isObject(record) ? record : undefined;
  } catch {
    return undefined;
  }
}
