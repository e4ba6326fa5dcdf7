/**
 * Elastic Common Schema: nested objects, dotted keys, or both in one record, as Elasticsearch takes them. `event.duration` in
 * nanoseconds, sizes in bytes; nothing says whether `@timestamp` is the start or the end, so it is taken for the start. `host` is
 * the shipper's, not the one that was asked for. Source of the layout: elastic/ecs, schemas/*.yml.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, type Json, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { versionOf } from '../targets.ts';
import { epochMicros, isoMicros } from '../times.ts';
import { readUrl } from '../urls.ts';

const format: JsonFormat = {
  order: 150,
  test: '`@timestamp` and `http.response.status_code`, nested or dotted',
  recognises: (record) => record['@timestamp'] !== undefined && statusIn(record) !== undefined,
  skips: (record) => (statusIn(record) === undefined ? 'not a request: no http.response.status_code' : ''),
  read(record, event, { timeZone }) {
    const http = objectOf(record['http']);
    event.gateway_kind = 'ecs';
    event.timestamp = timeOf(record['@timestamp'], timeZone);
    readRequest(record, http, event);
    readResponse(record, http, event);
    readUrlOf(record, event);
    readParties(record, event);
    readRest(record, event);
    event.network_protocol_version = versionOf(textOf(http['version'] ?? record['http.version']));
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** Null counts: the record is of a response, though of none with a status. */
function statusIn(record: Json): unknown {
  const http = objectOf(record['http']);
  const nested = objectOf(http['response'] ?? record['http.response'])['status_code'];
  if (nested !== undefined) return nested;
  return http['response.status_code'] === undefined ? record['http.response.status_code'] : http['response.status_code'];
}

/** The type date of Elasticsearch takes ISO 8601 and epoch milliseconds, as a number or a text. */
function timeOf(value: unknown, timeZone: string): number {
  const isIso = typeof value === 'string' && Number.isNaN(Number(value));
  return isIso ? isoMicros(value, '$.@timestamp', timeZone) : epochMicros(value, '$.@timestamp');
}

function readRequest(record: Json, http: Json, event: CanonicalEvent): void {
  const request = objectOf(http['request'] ?? record['http.request']);
  const body = objectOf(request['body']);
  event.http_request_method = methodOf(textOf(request['method'] ?? http['request.method'] ?? record['http.request.method']));
  event.request_id = textOf(request['id'] ?? http['request.id'] ?? record['http.request.id']);
  event.http_request_size = countOf(request['bytes'] ?? http['request.bytes'] ?? record['http.request.bytes']);
  event.http_request_body_size = countOf(
    body['bytes'] ?? request['body.bytes'] ?? http['request.body.bytes'] ?? record['http.request.body.bytes'],
  );
  const contentType = textOf(request['mime_type'] ?? http['request.mime_type'] ?? record['http.request.mime_type']);
  if (contentType !== '') event.attributes['content_type'] = contentType;
  readReferer(textOf(request['referrer'] ?? http['request.referrer'] ?? record['http.request.referrer']), event);
}

const lowerCase: ReadonlyMap<string, string> = new Map(
  ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'].map((method) => [method.toLowerCase(), method]),
);

/** The schema asked for lower case before 1.6.0. What is no known method stays as it came. */
const methodOf = (method: string): string => lowerCase.get(method) ?? method;

function readResponse(record: Json, http: Json, event: CanonicalEvent): void {
  const response = objectOf(http['response'] ?? record['http.response']);
  const body = objectOf(response['body']);
  event.http_response_status_code = statusOf(statusIn(record));
  event.http_response_size = countOf(response['bytes'] ?? http['response.bytes'] ?? record['http.response.bytes']);
  event.http_response_body_size = countOf(
    body['bytes'] ?? response['body.bytes'] ?? http['response.body.bytes'] ?? record['http.response.body.bytes'],
  );
}

function readUrlOf(record: Json, event: CanonicalEvent): void {
  const url = objectOf(record['url']);
  const parts = {
    whole: textOf(url['original'] ?? record['url.original']) || textOf(url['full'] ?? record['url.full']),
    path: textOf(url['path'] ?? record['url.path']),
    query: textOf(url['query'] ?? record['url.query']),
    scheme: textOf(url['scheme'] ?? record['url.scheme']),
    host: textOf(url['domain'] ?? record['url.domain']),
  };
  readUrl(parts, event);
}

/** Logstash fills `source.address` alone; it can hold a host name, which is no address. */
function readParties(record: Json, event: CanonicalEvent): void {
  const source = objectOf(record['source']);
  const client = objectOf(record['client']);
  const user = objectOf(record['user']);
  event.client_address =
    readAddress(textOf(source['ip'] ?? record['source.ip'])) ||
    readAddress(textOf(client['ip'] ?? record['client.ip'])) ||
    readAddress(textOf(source['address'] ?? record['source.address'])) ||
    readAddress(textOf(client['address'] ?? record['client.address']));
  event.consumer_id = textOf(user['id'] ?? record['user.id']);
  event.consumer_name = textOf(user['name'] ?? record['user.name']);
  event.user_agent_original = textOf(objectOf(record['user_agent'])['original'] ?? record['user_agent.original']);
}

function readRest(record: Json, event: CanonicalEvent): void {
  const tls = objectOf(record['tls']);
  const nanos = durationOf(objectOf(record['event'])['duration'] ?? record['event.duration']);
  event.duration_ms = nanos === null ? null : nanos / 1e6;
  event.error_type = textOf(objectOf(record['error'])['type'] ?? record['error.type']);
  event.tls_protocol_version = textOf(tls['version'] ?? record['tls.version']);
  event.tls_cipher = textOf(tls['cipher'] ?? record['tls.cipher']);
  event.trace_id = textOf(objectOf(record['trace'])['id'] ?? record['trace.id']).toLowerCase();
  event.span_id = textOf(objectOf(record['span'])['id'] ?? record['span.id']).toLowerCase();
}
